/**
 * `npm run support [-- --only TEXT] [--run] [--watch] [--dry]`: tries every agent, under `undersight run` and beside
 * `undersight watch` (or in one of these manners), and writes docs/support.md. Needs root, a network for what is not installed
 * yet (npm, PyPI, Go modules, crates), and about five minutes. Exit code 1 when something was not seen.
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
import { isWhole, type Manner, type TrialResult, tryAgent } from './trial.ts';

const INSIDE = 'UNDERSIGHT_SUPPORT_INSIDE';
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    run: { type: 'boolean' },
    watch: { type: 'boolean' },
    dry: { type: 'boolean' },
  },
});
const chosen = agents.filter(({ name }) => !values.only || name.toLowerCase().includes(values.only.toLowerCase()));
const all: readonly Manner[] = ['run', 'watch'];
const manners = values.run || values.watch ? all.filter((manner) => values[manner]) : all;

if (process.env[INSIDE] === undefined) {
  for (const agent of chosen) install(agent);
  // Nothing that an agent sends leaves the machine: the namespace has loopback alone.
  const words = ['--net', '--mount', process.execPath, import.meta.filename, ...process.argv.slice(2)];
  const { status } = spawnSync('unshare', words, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  process.exit(status ?? 1);
}

execFileSync('ip', ['link', 'set', 'lo', 'up']);
const results: TrialResult[] = [];
for (const manner of manners) {
  for (const agent of chosen) {
    const result = await tryAgent(agent, install(agent), manner);
    const { calls, commands, mcp_calls, problem } = result;
    const { made, seen, answered, asked, invented } = calls;
    const figures = [
      `calls ${seen}/${made} (answers ${answered}, prompts ${asked}, invented ${invented})`,
      `commands ${commands.seen}/${commands.run}`,
      `MCP ${mcp_calls.seen}/${mcp_calls.made}`,
    ];
    console.log(`${isWhole(result) ? 'ok' : 'NO'} ${manner} ${agent.name}: ${figures.join(', ')} ${problem}`);
    results.push(result);
  }
}
const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
if (!values.only && !values.dry && manners.length === all.length) {
  writeFileSync(join(root, 'docs/support.md'), renderPage(results, `Linux ${kernel}, ${os.arch()}`));
}
process.exit(results.every(isWhole) ? 0 : 1);
