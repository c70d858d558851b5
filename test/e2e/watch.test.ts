import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MockLlm, startMockLlm } from '../mock-llm/server.ts';
import { descend, isAgent, isChat, isFile, isNetwork, isProcess, outline, readOtlp, type TraceNode } from './trace.ts';
import { agents, createWorkspace, node, root, type Workspace } from './workspace.ts';

const scenario = {
  turns: [{ calls: [{ name: 'shell', arguments: { command: 'cat notes.txt' } }] }, { text: 'Done.' }],
};
const sdkAgent = ['node', join(agents, 'openai-node.mjs'), 'chat', '--stream'];
const byRule = (name: string, argument: string) => [
  '--set',
  'receivers.undersight.targets.traffic=false',
  '--set',
  `receivers.undersight.targets.rules=[{name: ${name}, argument: "${argument}"}]`,
];

interface Watch {
  /** Ends the watching and gives the spans of the store, and what was printed. */
  stop(): Promise<{ spans: TraceNode[]; code: number | null; stderr: string; stdout: string }>;
}

/** `mock`: whose clients' traces are looked at; the machine may have other agents. */
async function startWatch(workspace: Workspace, mock: MockLlm, options: readonly string[]): Promise<Watch> {
  const watch = spawn(join(root, 'undersight'), ['watch', ...options], {
    env: { ...process.env, UNDERSIGHT_STORE: workspace.path('traces.db') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  let stdout = '';
  watch.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  watch.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  while (!stderr.includes('watching')) {
    assert.equal(watch.exitCode ?? watch.signalCode, null, stderr);
    await sleep(20);
  }
  return {
    async stop() {
      // Longer than the reorder window and the grace after an exit.
      await sleep(800);
      watch.kill('SIGINT');
      const [code] = (await once(watch, 'close')) as [number | null];
      const listed = await workspace.undersight('traces', 'ls', '--json');
      const spans: TraceNode[] = [];
      for (const { trace_id } of JSON.parse(listed.stdout) as { trace_id: string }[]) {
        const shown = await workspace.undersight('traces', 'show', trace_id, '--content', '--format', 'otlp-json');
        const trace = readOtlp(JSON.parse(shown.stdout));
        if (trace.some((span) => isChat(span) && span.attributes['server.port'] === mock.port)) spans.push(...trace);
      }
      return { spans, code, stderr, stdout };
    },
  };
}

async function setUp(t: Parameters<typeof createWorkspace>[0], turns: object = scenario, plain = false) {
  const mock: MockLlm = await startMockLlm({ scenario: turns as typeof scenario, plain });
  const workspace = createWorkspace(t, mock);
  writeFileSync(workspace.path('notes.txt'), 'remember');
  return { mock, workspace };
}

test('an agent that nobody named is found by its first call, which is in its trace', async (t) => {
  const { mock, workspace } = await setUp(t);
  const watch = await startWatch(workspace, mock, []);
  assert.equal((await workspace.command(sdkAgent)).code, 0);
  const { spans, code, stderr, stdout } = await watch.stop();
  assert.equal(code, 0, stderr);
  assert.equal(spans.filter(isAgent).length, 1, outline(spans));
  assert.deepEqual(
    spans.filter(isChat).map((chat) => chat.attributes['gen_ai.response.id']),
    mock.exchanges.map((exchange) => exchange.response_id),
    outline(spans),
  );
  const [first] = spans.filter(isChat);
  assert.ok(first && descend(first).some((span) => isFile(span) && span.attributes['file.name'] === 'notes.txt'));
  assert.match(stdout, /invoke_agent[\s\S]*execute_tool/, 'the console shows it too');
});

test('an agent that a rule names is watched from its start, and nobody else is', async (t) => {
  const { mock, workspace } = await setUp(t);
  const watch = await startWatch(workspace, mock, byRule('mine', '**/openai-node.mjs'));
  assert.equal((await workspace.command(sdkAgent)).code, 0);
  assert.equal((await workspace.command(['node', join(agents, 'anthropic-node.mjs')])).code, 0);
  const { spans, stderr } = await watch.stop();
  assert.deepEqual(
    spans.filter(isAgent).map((span) => span.name),
    ['invoke_agent mine'],
    `${outline(spans)}\n${stderr}`,
  );
  assert.equal(spans.filter(isChat).length, 2);
});

for (const plain of [false, true]) {
  test(`an agent that already runs is picked up, with the connection it has open ${plain ? 'without' : 'over'} TLS`, async (t) => {
    const { mock, workspace } = await setUp(t, { turns: [{ text: 'Yes.' }] }, plain);
    const running: ChildProcess = spawn(node, [join(agents, 'two-calls.mjs')], {
      cwd: workspace.folder,
      env: {
        OPENAI_BASE_URL: `${mock.url}/v1`,
        OPENAI_API_KEY: 'sk-0123456789abcdefghijklmnop',
        NODE_EXTRA_CA_CERTS: mock.authority_path,
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(running.stdout as NodeJS.ReadableStream, 'data');
    const watch = await startWatch(workspace, mock, byRule('old', '**/two-calls.mjs'));
    running.stdin?.write('go\n');
    await once(running, 'exit');
    const { spans } = await watch.stop();
    const chats = spans.filter(isChat);
    assert.deepEqual(
      chats.map((chat) => chat.attributes['gen_ai.response.id']),
      [mock.exchanges[1]?.response_id],
      outline(spans),
    );
    assert.equal(chats[0]?.attributes['server.port'], mock.port);
    const connections = spans.filter((span) => isNetwork(span) && span.attributes['network.peer.port'] === mock.port);
    assert.equal(connections.length, 1, outline(spans));
    assert.ok(spans.some((span) => span.attributes['file.name'] === 'notes.txt'));
  });
}

test('excluded users are not watched, and excluded paths are left out', async (t) => {
  const { mock, workspace } = await setUp(t);
  const paths = ['--set', `receivers.undersight.exclude.paths=["${workspace.folder}/*.txt"]`];
  const watch = await startWatch(workspace, mock, paths);
  assert.equal((await workspace.command(sdkAgent)).code, 0);
  const { spans } = await watch.stop();
  assert.equal(spans.filter(isChat).length, 2);
  assert.ok(spans.some((span) => isProcess(span) && span.attributes['process.executable.name'] === 'cat'));
  assert.doesNotMatch(JSON.stringify(spans.map((span) => span.attributes)), /file\.path[^,]*notes\.txt/);

  const other = await setUp(t);
  const users = await startWatch(other.workspace, other.mock, ['--set', 'receivers.undersight.exclude.users=[root]']);
  assert.equal((await other.workspace.command(sdkAgent)).code, 0);
  const ended = await users.stop();
  assert.deepEqual(ended.spans, []);
  assert.doesNotMatch(ended.stderr, /not everything|is not read/);
});

for (const encodings of [[], ['gzip']] as const) {
  const how =
    encodings.length === 0 ? 'the rest of its text is there' : 'nothing of it can be read, compressed as it is';
  test(`a call that is under way when watching begins: ${how}, and what follows is whole`, async (t) => {
    const text = 'It takes a while to say all of this, of which the end at least was heard by those who came late.';
    const turns = [{ text, calls: [{ name: 'shell', arguments: { command: 'cat notes.txt' } }] }, { text: 'Done.' }];
    const begun = Promise.withResolvers<void>();
    const watched = Promise.withResolvers<void>();
    const mock = await startMockLlm({
      scenario: { turns },
      encodings,
      async afterPiece(count) {
        if (count < 4) return;
        begun.resolve();
        await watched.promise;
      },
    });
    const workspace = createWorkspace(t, mock);
    writeFileSync(workspace.path('notes.txt'), 'remember');
    const running = workspace.command(sdkAgent);
    await begun.promise;
    const watch = await startWatch(workspace, mock, byRule('late', '**/openai-node.mjs'));
    watched.resolve();
    assert.equal((await running).code, 0);
    const { spans } = await watch.stop();
    const chats = spans.filter(isChat);
    const last = chats.at(-1);
    assert.equal(last?.attributes['gen_ai.response.id'], mock.exchanges[1]?.response_id, outline(spans));
    assert.equal(last?.attributes['undersight.capture.gap'], undefined);
    if (encodings.length > 0) {
      assert.equal(chats.length, 1, outline(spans));
      return;
    }
    const [joined] = chats;
    assert.equal(chats.length, 2, outline(spans));
    assert.deepEqual(joined?.attributes['undersight.capture.gap'], ['joined_midstream']);
    assert.equal(joined?.attributes['gen_ai.response.id'], mock.exchanges[0]?.response_id);
    assert.match(JSON.stringify(joined?.attributes['gen_ai.output.messages']), /those who came late\./);
    assert.equal(joined?.attributes['server.port'], mock.port);
    assert.equal(spans.filter(isAgent).length, 1, outline(spans));
    assert.ok(descend(joined).some((span) => isFile(span) && span.attributes['file.name'] === 'notes.txt'));
  });
}
