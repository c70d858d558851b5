import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Makes this mount namespace, which must be our own, trust one more authority: a copy of the bundle with it, at `copy`, covers
 * the system's. Returns what takes it away.
 */
export function trustSystemWide(authority_path: string, copy: string): () => void {
  writeFileSync(copy, `${readFileSync(authority_path, 'utf8')}\n${readFileSync(BUNDLE, 'utf8')}`);
  execFileSync('mount', ['--bind', copy, BUNDLE]);
  return () => void execFileSync('umount', [BUNDLE]);
}
