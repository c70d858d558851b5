import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { locateTls } from '../../src/targets/locate-tls.ts';

const INT3 = 0xcc;
const POLL_MS = 20;
const MAX_POLLS = 3000;

/** Waits until some process that runs this program has a probe in its memory, in a library of this name. Throws when none gets one. */
export async function probedIn(program: string, library: RegExp): Promise<void> {
  for (let poll = 0; poll < MAX_POLLS; poll++) {
    if (fs.readdirSync('/proc').some((name) => /^\d+$/.test(name) && isProbed(name, program, library))) return;
    await sleep(POLL_MS);
  }
  throw new Error(`${program} got no probe`);
}

function isProbed(pid: string, program: string, library: RegExp): boolean {
  try {
    if (!fs.readlinkSync(`/proc/${pid}/exe`).endsWith(program)) return false;
    const maps = fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
    const [range = '', , offset = ''] = maps.find((one) => / r-xp /.test(one) && library.test(one))?.split(' ') ?? [];
    const [, mapping = ''] = /^0*([0-9a-f]+-[0-9a-f]+)$/.exec(range) ?? [];
    const [found] = locateTls(`/proc/${pid}/map_files/${mapping}`)?.functions ?? [];
    if (found === undefined) return false;
    const start = BigInt(`0x${range.split('-')[0]}`) - BigInt(`0x${offset}`);
    const place = start + found.file_offset + BigInt(found.probe_skip_bytes ?? 0);
    const memory = fs.openSync(`/proc/${pid}/mem`, 'r');
    try {
      const byte = Buffer.alloc(1);
      fs.readSync(memory, byte, 0, 1, place);
      return byte[0] === INT3;
    } finally {
      fs.closeSync(memory);
    }
  } catch {
    // Gone, or not there yet.
    return false;
  }
}
