import { getSystemErrorName } from 'node:util';

/** `ENOENT` for 2; `errno 999` for what has no name. */
export function errnoName(errno: number): string {
  const name = errno > 0 ? getSystemErrorName(-errno) : '';
  return /^E\w+$/.test(name) ? name : `errno ${errno}`;
}
