import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Scenario } from './scenario.ts';
import { type MockLlm, type MockLlmOptions, startMockLlm } from './server.ts';

const scenario: Scenario = {
  turns: [
    {
      text: 'Zwei Aufrufe: äöü 🙂',
      calls: [
        { name: 'shell', arguments: { command: 'ls' } },
        { name: 'shell', arguments: { command: 'pwd' } },
      ],
      usage: { input_tokens: 30, output_tokens: 7, cache_read_tokens: 10 },
    },
    { text: 'Done: {prompt}' },
  ],
};

const user = { role: 'user', content: 'hello' };

interface Reply {
  status: number | undefined;
  headers: Record<string, unknown>;
  body: Buffer;
  aborted: boolean;
}

async function start(test: TestContext, options: MockLlmOptions): Promise<MockLlm> {
  const mock = await startMockLlm(options);
  test.after(() => mock.close());
  return mock;
}

function post(mock: MockLlm, path: string, body: object, headers: Record<string, string> = {}): Promise<Reply> {
  const agent = new Agent({ ca: readFileSync(mock.authority_path) });
  return new Promise((resolve, reject) => {
    const outgoing = request(`${mock.url}${path}`, { method: 'POST', headers, agent }, (response) => {
      const parts: Buffer[] = [];
      const finish = (aborted: boolean) => {
        agent.destroy();
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts), aborted });
      };
      response.on('data', (part) => parts.push(part));
      response.on('end', () => finish(false));
      response.on('error', () => finish(true));
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
}

/** The `data:` payloads of a stream of server-sent events. */
function eventsOf(body: Buffer): Record<string, never>[] {
  const lines = body.toString('utf8').split('\n');
  const data = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
  return data.filter((text) => text !== '[DONE]').map((text) => JSON.parse(text));
}

test('the turn follows from the answers that the conversation already has', async (t) => {
  const mock = await start(t, { scenario });
  const first = await post(mock, '/v1/chat/completions', { model: 'm', messages: [user] });
  const { message, finish_reason } = JSON.parse(first.body.toString()).choices[0];
  assert.equal(finish_reason, 'tool_calls');
  assert.deepEqual(
    message.tool_calls.map((call: { id: string }) => call.id),
    mock.exchanges[0]?.call_ids,
  );
  const results = message.tool_calls.map((call: { id: string }) => ({ role: 'tool', tool_call_id: call.id }));
  const second = await post(mock, '/v1/chat/completions', { model: 'm', messages: [user, message, ...results] });
  assert.equal(JSON.parse(second.body.toString()).choices[0].message.content, 'Done: hello');
});

test('a streamed answer says the same as a plain one', async (t) => {
  const mock = await start(t, { scenario });
  const streamed = await post(mock, '/v1/messages', { model: 'c', stream: true, messages: [user] });
  const events = eventsOf(streamed.body);
  const text = events.map((event: { delta?: { text?: string } }) => event.delta?.text ?? '').join('');
  assert.equal(text, scenario.turns[0]?.text);
  assert.equal(mock.exchanges[0]?.response_body.compare(streamed.body), 0);
  const start_event = events[0] as unknown as { message: { usage: object } };
  assert.deepEqual(start_event.message.usage, {
    input_tokens: 20,
    cache_read_input_tokens: 10,
    cache_creation_input_tokens: 0,
    output_tokens: 1,
  });
});

test('a Responses conversation continues by the id of the answer before', async (t) => {
  const mock = await start(t, { scenario });
  const first = JSON.parse((await post(mock, '/v1/responses', { model: 'm', input: 'hello' })).body.toString());
  const input = [{ type: 'function_call_output', call_id: 'x', output: '' }];
  const asked = { model: 'm', input, previous_response_id: first.id, stream: true };
  const events = eventsOf((await post(mock, '/v1/responses', asked)).body);
  const last = events.at(-1) as unknown as { type: string; response: { output: { content: { text: string }[] }[] } };
  assert.equal(last.type, 'response.completed');
  assert.equal(last.response.output[0]?.content[0]?.text, 'Done: ');
});

test('pieces of any size and any encoding give the logged body', async (t) => {
  const decoders = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync };
  for (const encoding of ['gzip', 'br', 'zstd'] as const) {
    const mock = await start(t, { scenario, encodings: [encoding], piece_bytes: 5 });
    const asked = { model: 'm', messages: [user], stream: true };
    const reply = await post(mock, '/v1/chat/completions', asked, { 'accept-encoding': 'gzip, br, zstd' });
    assert.equal(reply.headers['content-encoding'], encoding);
    assert.equal(mock.exchanges[0]?.response_body.compare(decoders[encoding](reply.body)), 0);
  }
});

test('errors, error events and lost connections come as the scenario says', async (t) => {
  const asked = { model: 'm', stream: true, messages: [user] };
  const error = { status: 429, type: 'rate_limit_error', message: 'slow down' };
  const refused = await post(await start(t, { scenario: { turns: [{ error }] } }), '/v1/messages', asked);
  assert.equal(refused.status, 429);
  assert.equal(JSON.parse(refused.body.toString()).error.type, 'rate_limit_error');

  const broken = await start(t, {
    scenario: { turns: [{ text: 'x', fault: { kind: 'error_event', after_events: 2 } }] },
  });
  const last = eventsOf((await post(broken, '/v1/messages', asked)).body).at(-1);
  assert.equal((last as unknown as { type: string }).type, 'error');

  const lost = await start(t, { scenario: { turns: [{ text: 'x', fault: { kind: 'disconnect', after_events: 2 } }] } });
  assert.equal((await post(lost, '/v1/messages', asked)).aborted, true);
  assert.equal(lost.exchanges[0]?.complete, false);
});

test('Ollama’s answer has the calls of the turn, streamed or not', async (t) => {
  const mock = await start(t, { scenario });
  const expected = scenario.turns[0]?.calls?.map(({ name, arguments: args }) => ({
    function: { name, arguments: args },
  }));
  const plain = await post(mock, '/api/chat', { model: 'm', stream: false, messages: [user] });
  assert.deepEqual(JSON.parse(plain.body.toString()).message.tool_calls, expected);
  const lines = (await post(mock, '/api/chat', { model: 'm', messages: [user] })).body.toString().trim().split('\n');
  assert.deepEqual(
    lines.flatMap((line) => JSON.parse(line).message.tool_calls ?? []),
    expected,
  );
});

test('the server has the certificate of the hosts it stands for', async (t) => {
  const mock = await start(t, { scenario, hosts: ['api.example.com'] });
  const ca = readFileSync(mock.authority_path);
  const names = await new Promise((resolve, reject) => {
    const socket = connect({ port: mock.port, host: '127.0.0.1', servername: 'api.example.com', ca }, () => {
      resolve(socket.getPeerCertificate().subjectaltname);
      socket.destroy();
    }).on('error', reject);
  });
  assert.equal(names, 'DNS:localhost, IP Address:127.0.0.1, DNS:api.example.com');
});
