import fs from 'node:fs';
import { SetupError } from '../model/setup-error.ts';

export interface PrivateFile {
  readonly fd: number;
  close(): void;
}

/** One of our own descriptors by its name: opened anew it would have a place of its own in the file. */
const OWN_DESCRIPTOR = /^\/(?:dev\/(?:(stdout)|(stderr)|fd\/(\d+))|proc\/self\/fd\/(\d+))$/;

/**
 * Opens `path` for writing from its beginning. A regular file can be read by its owner alone from then on, also where it was
 * there before; a symbolic link is not followed. Devices, pipes and descriptors (`/dev/stdout`) are taken as they are.
 * Throws SetupError when it cannot be opened.
 */
export function openPrivateFile(path: string): PrivateFile {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = fs.constants;
  try {
    const own = descriptorOf(path);
    if (own !== undefined) {
      fs.fstatSync(own);
      return { fd: own, close() {} };
    }
    const fd = fs.openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    if (fs.fstatSync(fd).isFile()) fs.fchmodSync(fd, 0o600);
    return { fd, close: () => fs.closeSync(fd) };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === 'ELOOP' ? 'it is a symbolic link' : message;
    throw new SetupError(`Cannot write ${path}: ${reason}`, 'Give a file in a directory that you can write to.', {
      cause,
    });
  }
}

function descriptorOf(path: string): number | undefined {
  const match = OWN_DESCRIPTOR.exec(path);
  if (match === null) return undefined;
  if (match[1] !== undefined) return 1;
  return match[2] === undefined ? Number(match[3] ?? match[4]) : 2;
}
