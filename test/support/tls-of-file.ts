import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../e2e/workspace.ts';

/** How the TLS functions in a file are found, as `undersight targets inspect` says. */
export function inspectFile(file: string): string {
  try {
    const report = execFileSync(join(root, 'undersight'), ['targets', 'inspect', '--json', file], { encoding: 'utf8' });
    const { family } = JSON.parse(report) as { family: string | null };
    return family ?? 'not found';
  } catch {
    return 'not found';
  }
}
