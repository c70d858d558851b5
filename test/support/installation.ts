import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import type { RealAgent } from './real-agent.ts';

/** `UNDERSIGHT_AGENTS`, else `~/.cache/undersight-agents`. */
const folder = process.env.UNDERSIGHT_AGENTS ?? join(os.homedir(), '.cache/undersight-agents');

/** The folder with the agent's packages: made when it is not there, one for each set of packages. Throws when that fails. */
export function install({ name, packages, build }: RealAgent): string {
  const { npm = [], pip = [], other = [] } = packages;
  const identity = createHash('sha256').update(JSON.stringify(packages)).digest('hex').slice(0, 12);
  const installed = join(folder, identity);
  const mark = join(installed, '.installed');
  if (!existsSync(mark)) {
    console.error(`installing ${[...npm, ...pip, ...other].join(' ') || name}`);
    mkdirSync(installed, { recursive: true });
    if (npm.length > 0) run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...npm], installed);
    if (pip.length > 0) {
      run('python3', ['-m', 'venv', 'venv'], installed);
      run('venv/bin/pip', ['install', '--quiet', '--disable-pip-version-check', ...pip], installed);
    }
    writeFileSync(mark, '');
  }
  build?.(installed);
  return installed;
}

function run(command: string, args: readonly string[], cwd: string): void {
  // npm runs scripts with the Node.js that it finds first.
  const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, PATH } });
}
