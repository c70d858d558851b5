import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../e2e/workspace.ts';

export interface TlsOfFile {
  readonly families: readonly string[];
  /** The first thing that the functions were known by. */
  readonly evidence: string;
}

/** How the TLS functions in a file are found, as `undersight targets inspect` says. */
export function inspectFile(file: string): TlsOfFile {
  const { stdout, stderr } = spawnSync(join(root, 'undersight'), ['targets', 'inspect', '--json', file], {
    encoding: 'utf8',
  });
  try {
    const { families, evidence } = JSON.parse(stdout) as { families: string[]; evidence: string[] };
    return { families, evidence: shorten(evidence[0] ?? '') };
  } catch {
    return { families: [], evidence: shorten(stderr) };
  }
}

function shorten(evidence: string): string {
  const [first = ''] = evidence.split(/[;\n]/);
  return first.length > 120 ? `${first.slice(0, 119)}…` : first;
}
