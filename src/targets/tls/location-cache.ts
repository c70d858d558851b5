/**
 * Remembers on disk what was found by reading all of a file's code. An entry belongs to one very file: device, inode, size and
 * the times of its last changes. A build id would do for honest files; one that was copied would make probes hit another
 * program's instructions. Whatever is not as it was written is not used.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { identityOf } from '../../model/file-identity.ts';
import { TLS_FAMILY_NAMES, TLS_FUNCTION_NAMES, type TlsFunction } from '../../model/tls-library.ts';
import { type Elf, readAt } from '../elf.ts';
import type { FoundTls } from './inspect-tls.ts';

/** To be raised when the families find more, or otherwise: what was found before is then looked for again. */
const REVISION = 5;
const MAX_ENTRIES = 256;
const MAX_ENTRY_BYTES = 64 * 1024;
const COMPARED_BYTES = 16;
const REFUSED_FOR_MS = 24 * 60 * 60 * 1000;

const entrySchema = z.strictObject({
  /** Why these functions, at these places, are not to be probed. */
  refused: z.strictObject({ reason: z.string(), functions: z.string(), at_ms: z.number() }).optional(),
  /** Which functions, at which places, moved what looked like a protocol. */
  confirmed: z.string().optional(),
  found: z
    .strictObject({
      families: z.array(z.enum(TLS_FAMILY_NAMES)).min(1),
      functions: z.array(
        z.strictObject({
          name: z.enum(TLS_FUNCTION_NAMES),
          file_offset: z.string().regex(/^\d{1,15}$/),
          begins: z.string(),
        }),
      ),
      evidence: z.array(z.string()),
    })
    .nullable()
    .optional(),
});
type Entry = z.infer<typeof entrySchema>;

export interface LocationCache {
  /** What was found in this file, null for nothing; undefined when it is not known. */
  read(elf: Elf, file: fs.BigIntStats): FoundTls | null | undefined;
  /** Never fails: what cannot be kept is looked for again. */
  write(elf: Elf, file: fs.BigIntStats, found: FoundTls | null): void;
  /** Remembers for a day that these functions of this file are not what they were taken for. Never fails. */
  refuse(file: fs.BigIntStats, functions: readonly TlsFunction[], reason: string): void;
  /** Remembers that these functions of this file are what they were taken for. Never fails. */
  confirm(file: fs.BigIntStats, functions: readonly TlsFunction[]): void;
  /** Whether all of these were confirmed. */
  isConfirmed(file: fs.BigIntStats, functions: readonly TlsFunction[]): boolean;
  /** Why all of these functions of this file, or any, are not to be probed, if that is so. */
  readRefusal(file: fs.BigIntStats, functions: readonly TlsFunction[] | undefined): string | undefined;
}

/** `tls` in $UNDERSIGHT_CACHE, else `/var/cache/undersight/tls` for root, else below $XDG_CACHE_HOME (XDG base directory specification: `~/.cache`). */
export function locationCachePath(env: NodeJS.ProcessEnv, uid: number | undefined): string {
  if (env.UNDERSIGHT_CACHE?.startsWith('/')) return path.join(env.UNDERSIGHT_CACHE, 'tls');
  if (uid === 0) return '/var/cache/undersight/tls';
  const cache = env.XDG_CACHE_HOME?.startsWith('/')
    ? env.XDG_CACHE_HOME
    : path.join(env.HOME || os.homedir(), '.cache');
  return path.join(cache, 'undersight/tls');
}

/** `now_ms`: the time of day, by which refusals end. */
export function createLocationCache(directory: string, now_ms: () => number = Date.now): LocationCache {
  const readFile = (file: fs.BigIntStats) => {
    if (!isOurs(directory)) throw new Error('not ours');
    return entrySchema.parse(JSON.parse(readEntry(path.join(directory, nameOf(file)))));
  };
  const known = (file: fs.BigIntStats): Entry => {
    try {
      return readFile(file);
    } catch {
      return {};
    }
  };
  const refusalIn = ({ refused }: Entry) =>
    refused !== undefined && Math.abs(now_ms() - refused.at_ms) < REFUSED_FOR_MS ? refused : undefined;
  const writeFile = (file: fs.BigIntStats, entry: () => Entry) => {
    try {
      fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
      if (!isOurs(directory)) return;
      const target = path.join(directory, nameOf(file));
      const draft = `${target}.${process.pid}`;
      fs.writeFileSync(draft, JSON.stringify(entry()), { mode: 0o600, flag: 'wx' });
      fs.renameSync(draft, target);
      removeOldest(directory);
    } catch {
      // A full or read-only disk costs time, nothing else.
    }
  };
  return {
    read(elf, file) {
      try {
        const entry = readFile(file);
        const { found } = entry;
        if (found === null || refusalIn(entry) !== undefined) return null;
        if (found === undefined) return undefined;
        const functions = found.functions.map(({ name, file_offset, begins }) => {
          if (beginning(elf, BigInt(file_offset)) !== begins) throw new Error('another function');
          return { name, file_offset: BigInt(file_offset) };
        });
        return { families: found.families, functions, evidence: found.evidence };
      } catch {
        return undefined;
      }
    },
    write(elf, file, found) {
      writeFile(file, () => {
        const functions = found?.functions.map(({ name, file_offset }) => {
          return { name, file_offset: String(file_offset), begins: beginning(elf, file_offset) };
        });
        const { families = [], evidence = [] } = found ?? {};
        return {
          ...known(file),
          found: found && { families: [...families], functions: functions ?? [], evidence: [...evidence] },
        };
      });
    },
    refuse(file, functions, reason) {
      writeFile(file, () => {
        return { ...known(file), refused: { reason, functions: functions.map(placeOf).join(' '), at_ms: now_ms() } };
      });
    },
    confirm(file, functions) {
      writeFile(file, () => {
        const entry = known(file);
        const places = new Set([...(entry.confirmed?.split(' ') ?? []), ...functions.map(placeOf)]);
        return { ...entry, confirmed: [...places].join(' ') };
      });
    },
    isConfirmed(file, functions) {
      const places = new Set(known(file).confirmed?.split(' '));
      return functions.length > 0 && functions.every((one) => places.has(placeOf(one)));
    },
    readRefusal(file, functions) {
      try {
        const refused = refusalIn(readFile(file));
        if (refused === undefined) return undefined;
        const places = new Set(refused.functions.split(' '));
        const isMeant =
          functions === undefined || (functions.length > 0 && functions.every((one) => places.has(placeOf(one))));
        return isMeant ? refused.reason : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

const placeOf = ({ name, file_offset }: TlsFunction): string => `${name}@${file_offset}`;

/** Nobody else may write there: what is read decides where probes go. */
function isOurs(directory: string): boolean {
  const stat = fs.lstatSync(directory);
  return stat.isDirectory() && stat.uid === process.geteuid?.() && (stat.mode & 0o077) === 0;
}

function nameOf(file: fs.BigIntStats): string {
  const identity = `${REVISION}:${identityOf(file)}`;
  return `${createHash('sha256').update(identity).digest('hex')}.json`;
}

function readEntry(file: string): string {
  const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW);
  try {
    return readAt(fd, 0, MAX_ENTRY_BYTES).toString('utf8');
  } finally {
    fs.closeSync(fd);
  }
}

const beginning = (elf: Elf, offset: bigint): string => readAt(elf.fd, Number(offset), COMPARED_BYTES).toString('hex');

function removeOldest(directory: string): void {
  const names = fs.readdirSync(directory);
  if (names.length <= MAX_ENTRIES) return;
  const entries = names.map((name) => {
    const file = path.join(directory, name);
    return { file, written_ms: fs.lstatSync(file).mtimeMs };
  });
  entries.sort((a, b) => a.written_ms - b.written_ms);
  for (const { file } of entries.slice(0, names.length - MAX_ENTRIES)) fs.rmSync(file, { force: true });
}
