/**
 * Runs agent.mjs under Undersight and prints its trace. The model is a mock on loopback, reached over TLS like the real
 * one, so that no account is needed; it runs outside the watched process tree. `--bare` leaves Undersight out.
 */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { startMockLlm } from '../../test/mock-llm/server.ts';
import { scenario } from './scenario.ts';

const here = import.meta.dirname;
const root = dirname(dirname(here));
const workspace = mkdtempSync(join(tmpdir(), 'undersight-demo-'));
const mock = await startMockLlm({ scenario });

for (const file of ['agent.mjs', 'check-service.mjs']) copyFileSync(join(here, file), join(workspace, file));
symlinkSync(join(root, 'node_modules'), join(workspace, 'node_modules'));
for (const name of ['orders', 'users']) {
  writeFileSync(join(workspace, `${name}.json`), JSON.stringify({ name, url: `${mock.url}/${name}` }));
}

const command = ['node', 'agent.mjs'];
if (!process.argv.includes('--bare')) command.unshift(join(root, 'undersight'), 'run', '--');
const agent = spawn(command[0] ?? '', command.slice(1), {
  cwd: workspace,
  // Undersight shows a trace on standard error; here it is the main thing.
  stdio: [0, 1, 1],
  env: {
    ...process.env,
    PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
    OPENAI_API_KEY: 'sk-demo-not-a-real-key',
    OPENAI_BASE_URL: `${mock.url}/v1`,
    NODE_EXTRA_CA_CERTS: mock.authority_path,
  },
});
// The terminal sends Ctrl-C to the whole group: wait for the agent to end, then tidy up.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => agent.kill('SIGTERM'));

const code = await new Promise<number>((resolve) => {
  agent.on('error', (error) => {
    console.error(`demo: cannot start ${command[0]}: ${error.message}`);
    resolve(1);
  });
  agent.on('exit', (status, signal) => resolve(signal === null ? (status ?? 1) : 130));
});
await mock.close();
rmSync(workspace, { recursive: true, force: true });
process.exit(code);
