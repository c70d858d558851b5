/**
 * `npm run support [-- --only TEXT] [--dry]`: tries every agent and writes docs/support.md. Needs root, a network for what is
 * not installed yet (npm, PyPI), and about a minute. Exit code 1 when something was not seen.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../e2e/workspace.ts';
import { agents } from './agents.ts';
import { install } from './installation.ts';
import { renderPage } from './page.ts';
import { type TrialResult, tryAgent } from './trial.ts';

const INSIDE = 'UNDERSIGHT_SUPPORT_INSIDE';
const { values } = parseArgs({ options: { only: { type: 'string' }, dry: { type: 'boolean' } } });
const chosen = agents.filter(({ name }) => !values.only || name.toLowerCase().includes(values.only.toLowerCase()));

if (process.env[INSIDE] === undefined) {
  for (const agent of chosen) install(agent);
  // Nothing that an agent sends leaves the machine: the namespace has loopback alone.
  const words = ['--net', '--mount', process.execPath, import.meta.filename, ...process.argv.slice(2)];
  const { status } = spawnSync('unshare', words, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  process.exit(status ?? 1);
}

execFileSync('ip', ['link', 'set', 'lo', 'up']);
const results: TrialResult[] = [];
for (const agent of chosen) {
  const result = await tryAgent(agent, install(agent));
  const { tls, calls_made, calls_seen, calls_whole, commands_run, commands_seen, problem } = result;
  const figures = `calls ${calls_seen}/${calls_made} (${calls_whole} whole), commands ${commands_seen}/${commands_run}`;
  console.log(`${agent.name} ${agent.version}: ${tls}; ${figures} ${problem}`);
  results.push(result);
}
const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
if (!values.only && !values.dry) {
  writeFileSync(join(root, 'docs/support.md'), renderPage(results, `Linux ${kernel}, ${os.arch()}`));
}
const isGood = ({ calls_made, calls_whole, commands_run, commands_seen, problem }: TrialResult) =>
  problem === '' && calls_whole === calls_made && commands_run === 3 && commands_seen === commands_run;
process.exit(results.every(isGood) ? 0 : 1);
