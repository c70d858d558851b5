import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const HOSTS = '/etc/hosts';

/** Makes this mount namespace, which must be our own, find `host` on loopback. `copy`: of the hosts file. Returns what takes it back. */
export function serveHostName(host: string, copy: string): () => void {
  writeFileSync(copy, `127.0.0.1 ${host}\n${readFileSync(HOSTS, 'utf8')}`);
  execFileSync('mount', ['--bind', copy, HOSTS]);
  return () => void execFileSync('umount', [HOSTS]);
}
