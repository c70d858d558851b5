import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type BodyCase, type BodyEncoding, type BodyServer, startBodyServer } from '../mock-llm/body-server.ts';
import { numberedWords } from '../mock-llm/numbered-words.ts';
import { isChat, outline, type TraceNode } from './trace.ts';
import { agents, createWorkspace, type RunResult } from './workspace.ts';

/** One request of the agent, and the answer that it wishes for. */
interface AgentCase extends BodyCase {
  readonly http: 1 | 2;
  readonly stream: boolean;
  readonly prompt_bytes: number;
  readonly request_encoding?: 'gzip' | 'zstd';
  /** The request is written in pieces of this size. */
  readonly request_piece_bytes?: number;
  /** The client goes away once it has read as much. */
  readonly enough_bytes?: number;
}

const KB = 1000;
const MB = 1_000_000;
const ENCODINGS: readonly BodyEncoding[] = ['identity', 'gzip', 'br', 'zstd', 'deflate'];
const SIZES = [KB, 100 * KB, MB];
const FRAMINGS = ['chunked', 'length', 'close'] as const;
const withContent = { environment: { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' } };
const ERROR = 2;

/** Every encoding with every size, streamed and not; framings and cuts take turns. */
function matrix(): AgentCase[] {
  const cases: AgentCase[] = [];
  for (const http of [1, 2] as const) {
    for (const encoding of ENCODINGS) {
      for (const stream of [true, false]) {
        for (const answer_bytes of stream ? SIZES : SIZES.slice(0, 2)) {
          const count = cases.length;
          const framing = FRAMINGS[count % FRAMINGS.length] ?? 'chunked';
          const piece_bytes = answer_bytes === KB ? [1, 0, 7][count % 3] : [0, 16_384, 4000][count % 3];
          const request_encoding = ([undefined, 'gzip', 'zstd'] as const)[count % 3];
          cases.push({
            name: `case-${count}-http${http}-${encoding}-${stream ? 'stream' : 'json'}-${answer_bytes}-${framing}`,
            http,
            encoding,
            stream,
            framing,
            answer_bytes,
            piece_bytes: piece_bytes ?? 0,
            prompt_bytes: SIZES[(count + 1) % 2] ?? KB,
            ...(request_encoding !== undefined && { request_encoding }),
            ...(count % 4 === 1 && { request_piece_bytes: count % 2 === 0 ? 500 : 16_000 }),
          });
        }
      }
    }
  }
  return cases;
}

async function start(t: TestContext, tls_version: 'TLSv1.2' | 'TLSv1.3') {
  const server = await startBodyServer(tls_version);
  t.after(() => server.close());
  const mock = { ...server, port: 0, exchanges: [], websocket_exchanges: [], close: async () => undefined };
  const workspace = createWorkspace(t, mock);
  return { server, workspace };
}

/** Runs the agent on a plan; `read` is what it had of each body, in bytes. */
async function runPlan(t: TestContext, tls_version: 'TLSv1.2' | 'TLSv1.3', cases: readonly AgentCase[]) {
  const { server, workspace } = await start(t, tls_version);
  const words_path = workspace.path('words.txt');
  writeFileSync(words_path, numberedWords(Math.max(...cases.map(({ prompt_bytes }) => prompt_bytes))));
  writeFileSync(workspace.path('plan.json'), JSON.stringify({ url: server.url, words_path, cases }));
  const result = await workspace.run(
    ['node', join(agents, 'bodies-node.mjs'), workspace.path('plan.json')],
    withContent,
  );
  assert.equal(result.code, 0, result.stderr);
  const read = result.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; bytes: number });
  assert.deepEqual(
    read.map(({ name }) => name),
    cases.map(({ name }) => name),
  );
  return { server, result, read: new Map(read.map(({ name, bytes }) => [name, bytes])) };
}

function contentOf(chat: TraceNode | undefined, attribute: 'gen_ai.input.messages' | 'gen_ai.output.messages'): string {
  const messages = JSON.parse(String(chat?.attributes[attribute] ?? '[]')) as { parts: { content?: string }[] }[];
  return messages.flatMap(({ parts }) => parts.map(({ content }) => content ?? '')).join('');
}

/** The chat whose request began with the name of a case. */
function chatsByName({ spans }: RunResult): ReadonlyMap<string, TraceNode> {
  return new Map(
    spans.filter(isChat).map((chat) => [contentOf(chat, 'gen_ai.input.messages').split(' ', 1)[0] ?? '', chat]),
  );
}

function assertWhole(server: BodyServer, result: RunResult, names: readonly string[]): void {
  const chats = chatsByName(result);
  const wrong: string[] = [];
  for (const name of names) {
    const chat = chats.get(name);
    const exchange = server.exchanges.find((candidate) => candidate.name === name);
    const note = (what: string) => wrong.push(`${name}: ${what}`);
    if (exchange === undefined) note('never reached the server');
    else if (chat === undefined) note('has no chat');
    else {
      if (chat.attributes['gen_ai.response.id'] !== name) note('the response id differs');
      if (contentOf(chat, 'gen_ai.input.messages') !== exchange.prompt) note('the prompt differs');
      if (contentOf(chat, 'gen_ai.output.messages') !== exchange.text) note('the answer differs');
      if (chat.status_code === ERROR) note(`failed: ${chat.attributes['error.type']}`);
      if (chat.attributes['undersight.capture.gap'] !== undefined)
        note(`gap ${chat.attributes['undersight.capture.gap']}`);
    }
  }
  assert.deepEqual(wrong, [], outline(result.spans).slice(0, 5000));
}

for (const tls_version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`every encoding, size and cut over HTTP/1.1 and HTTP/2 comes through whole (${tls_version})`, async (t) => {
    // The version of TLS changes little: half of the cases show it.
    const cases = matrix().filter((_, index) => tls_version === 'TLSv1.3' || index % 2 === 0);
    const { server, result } = await runPlan(t, tls_version, cases);
    for (const { tls_version: spoken } of server.exchanges) assert.equal(spoken, tls_version);
    assertWhole(
      server,
      result,
      cases.map(({ name }) => name),
    );
  });
}

test('20 MB asked and 20 MB answered, over HTTP/1.1 and over HTTP/2, no byte missing', async (t) => {
  const large = { stream: true, framing: 'chunked', answer_bytes: 20 * MB, prompt_bytes: 20 * MB } as const;
  const cases: AgentCase[] = [
    { ...large, name: 'large-http1', http: 1, encoding: 'gzip', piece_bytes: 0 },
    { ...large, name: 'large-http2', http: 2, encoding: 'identity', piece_bytes: 16_384 },
  ];
  const { server, result } = await runPlan(t, 'TLSv1.3', cases);
  assertWhole(
    server,
    result,
    cases.map(({ name }) => name),
  );
});

test('curl, which has all encodings and both versions of HTTP, reads the same', async (t) => {
  const { server, workspace } = await start(t, 'TLSv1.3');
  const names: string[] = [];
  const options: string[] = [];
  for (const version of ['http1.1', 'http2']) {
    for (const encoding of ENCODINGS) {
      const name = `curl-${version}-${encoding}`;
      const wish: BodyCase = { name, answer_bytes: 50 * KB, encoding, framing: 'chunked', piece_bytes: 0 };
      const messages = [{ role: 'user', content: `${name} ${numberedWords(30 * KB)}` }];
      writeFileSync(workspace.path(`${name}.json`), JSON.stringify({ model: 'gpt-5', stream: true, messages }));
      options.push(
        `url = "${server.url}/v1/chat/completions"\n${version}\ncompressed\ncacert = "${server.authority_path}"\n` +
          `header = "content-type: application/json"\nheader = ${JSON.stringify(`x-mock: ${JSON.stringify(wish)}`)}\n` +
          `data-binary = "@${workspace.path(`${name}.json`)}"\noutput = "${workspace.path(`${name}.out`)}"\n`,
      );
      names.push(name);
    }
  }
  writeFileSync(workspace.path('plan.curl'), options.join('next\n'));
  const result = await workspace.run(
    ['curl', '--silent', '--show-error', '--config', workspace.path('plan.curl')],
    withContent,
  );
  assert.equal(result.code, 0, result.stderr);
  assertWhole(server, result, names);
});

test('a fault marks the call, which has exactly what was read', async (t) => {
  const base = { stream: true, framing: 'chunked', piece_bytes: 0, answer_bytes: 30 * KB, prompt_bytes: KB } as const;
  const cases: AgentCase[] = [];
  for (const http of [1, 2] as const) {
    for (const encoding of ['identity', 'br'] as const) {
      const of = { ...base, http, encoding };
      cases.push({ ...of, name: `overloaded-http${http}-${encoding}`, fault: 'overloaded' });
      cases.push({ ...of, name: `left-http${http}-${encoding}`, answer_bytes: MB, enough_bytes: 8 * KB });
      cases.push({ ...of, name: `reset-http${http}-${encoding}`, fault: 'reset' });
    }
  }
  const { server, result, read } = await runPlan(t, 'TLSv1.3', cases);
  const chats = chatsByName(result);
  for (const { name, fault, encoding } of cases) {
    const chat = chats.get(name);
    const exchange = server.exchanges.find((candidate) => candidate.name === name);
    assert.ok(chat !== undefined, `${name} has no chat`);
    assert.equal(chat.status_code, ERROR, name);
    if (fault === 'overloaded') {
      assert.equal(chat.attributes['http.response.status_code'], 529, name);
      assert.equal(chat.attributes['error.type'], 'overloaded_error', name);
      continue;
    }
    assert.equal(chat.attributes['error.type'], 'cut', name);
    const text = contentOf(chat, 'gen_ai.output.messages');
    const written = textOf(exchange?.written ?? '');
    if (fault === 'reset') assert.ok(text === written, `${name}: ${text.length} characters of ${written.length}`);
    else {
      assert.ok(numberedWords(MB).startsWith(text), `${name}: what is told was never said`);
      const had = encoding === 'identity' ? textOf(exchange?.written.slice(0, read.get(name)) ?? '') : 'x';
      assert.ok(text.length >= had.length && text.length < MB, `${name}: ${text.length} characters, not ${had.length}`);
    }
  }
});

/** The text in the whole events of a stream. */
function textOf(stream: string): string {
  const events = stream.split('\n\n').slice(0, -1);
  return events
    .map((event) => {
      const data = event.slice('data: '.length);
      if (data === '[DONE]') return '';
      return (JSON.parse(data) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ?? '';
    })
    .join('');
}
