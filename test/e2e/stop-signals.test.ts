import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type OtlpDocument, outline, readOtlp } from './trace.ts';
import { createWorkspace, python, root, type Workspace } from './workspace.ts';

/** The address of a server that takes connections and never answers. */
async function startSilentServer(t: TestContext): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts `undersight`; once `onReady` is through, interrupts it again and again until it ends. */
async function interrupt(
  workspace: Workspace,
  endpoint: string,
  args: readonly string[],
  onReady: (said: () => string) => Promise<void>,
) {
  const child = spawn(join(root, 'undersight'), args, {
    cwd: workspace.folder,
    env: {
      PATH: process.env.PATH,
      HOME: workspace.path('home'),
      UNDERSIGHT_STORE: workspace.path('traces.db'),
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  }
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  await onReady(() => {
    assert.equal(child.exitCode ?? child.signalCode, null, said);
    return said;
  });
  while (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGINT');
    await sleep(100);
  }
  const [code, signal] = await ended;
  return { code, signal, said };
}

const AGENT = `
import sys, time
print('started', flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(7)
`;

test('an impatient Ctrl-C costs what a silent endpoint has not taken, but not the trace', async (t) => {
  const workspace = createWorkspace(t, undefined);
  const args = ['run', '--format', 'otlp-json', '--output', 'trace.json', '--', python, '-c', AGENT];
  const result = await interrupt(workspace, await startSilentServer(t), args, async (said) => {
    while (!said().includes('started')) await sleep(20);
  });
  assert.equal(result.signal, null, result.said);
  assert.notEqual(result.code, 0, result.said);
  assert.match(result.said, /waiting for exporters[\s\S]*exporters were not waited for/);
  const spans = readOtlp(JSON.parse(readFileSync(workspace.path('trace.json'), 'utf8')) as OtlpDocument);
  assert.ok(
    spans.some((span) => span.name.includes('python')),
    outline(spans),
  );
});

test('a second Ctrl-C ends watch at once, which says what that costs', async (t) => {
  const workspace = createWorkspace(t, undefined);
  const args = ['watch', '--set', 'receivers.undersight.targets.rules=[{name: mine, argument: "marked"}]'];
  const result = await interrupt(workspace, await startSilentServer(t), args, async (said) => {
    while (!said().includes('watching')) await sleep(20);
    await workspace.command(['/bin/sh', '-c', 'sleep 1; exit 0', 'marked']);
  });
  assert.equal(result.signal, null, result.said);
  assert.match(result.said, /exporters were not waited for/);
  const listed = await workspace.undersight('traces', 'ls', '--agent', 'mine', '--json');
  assert.equal((JSON.parse(listed.stdout) as unknown[]).length, 1, listed.stderr);
});
