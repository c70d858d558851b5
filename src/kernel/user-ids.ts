import koffi from 'koffi';
import { SetupError } from '../model/setup-error.ts';
import { libc } from './libc.ts';

/** struct passwd of 64-bit C libraries: two pointers, then pw_uid. */
const PW_UID_OFFSET = 16;

/** Numeric ids of users that are given by name or id. Throws SetupError for a name that this machine does not know. */
export function resolveUserIds(users: readonly (string | number)[]): readonly number[] {
  return users.map((user) => {
    if (typeof user === 'number') return user;
    if (/^\d{1,10}$/.test(user)) return Number(user);
    const entry: unknown = libc.getpwnam(user);
    if (entry !== null) return Buffer.from(koffi.view(entry, PW_UID_OFFSET + 4)).readUInt32LE(PW_UID_OFFSET);
    throw new SetupError(
      `There is no user ${JSON.stringify(user)} on this machine, and so nobody to exclude`,
      'Correct receivers.undersight.exclude.users, or give the numeric id.',
    );
  });
}
