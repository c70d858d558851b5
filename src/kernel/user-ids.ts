import koffi from 'koffi';
import { libc } from './libc.ts';

/** struct passwd of 64-bit C libraries: two pointers, then pw_uid. */
const PW_UID_OFFSET = 16;

/** Numeric ids of users that are given by name or id, and the names that this machine does not know. */
export function resolveUserIds(users: readonly (string | number)[]): { uids: number[]; unknown: string[] } {
  const uids: number[] = [];
  const unknown: string[] = [];
  for (const user of users) {
    if (typeof user === 'number' || /^\d{1,10}$/.test(user)) {
      uids.push(Number(user));
      continue;
    }
    const entry: unknown = libc.getpwnam(user);
    if (entry === null) unknown.push(user);
    else uids.push(Buffer.from(koffi.view(entry, PW_UID_OFFSET + 4)).readUInt32LE(PW_UID_OFFSET));
  }
  return { uids, unknown };
}
