import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LlmCall } from '../../src/model/llm-call.ts';
import * as sample from './sample-activities.ts';

test('a chat says what was asked, what came back, and what it took', () => {
  assert.deepEqual(sample.spanOf({ ...sample.chat, conversation_id: 'conv-1' }).attributes, {
    'openai.api.type': 'chat_completions',
    'openai.response.service_tier': 'default',
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-5-mini',
    'gen_ai.request.max_tokens': 1000,
    'gen_ai.request.temperature': 0.5,
    'gen_ai.request.top_p': 0.9,
    'gen_ai.request.top_k': 40,
    'gen_ai.request.seed': 7,
    'gen_ai.request.stop_sequences': ['END'],
    'gen_ai.request.stream': true,
    'gen_ai.output.type': 'text',
    'gen_ai.response.id': 'resp-1',
    'gen_ai.response.model': 'gpt-5-mini-2025',
    'gen_ai.response.finish_reasons': ['tool_calls'],
    'gen_ai.response.time_to_first_chunk': 0.23,
    'gen_ai.usage.input_tokens': 5120,
    'gen_ai.usage.output_tokens': 64,
    'gen_ai.usage.cache_read.input_tokens': 4096,
    'gen_ai.usage.cache_creation.input_tokens': 512,
    'gen_ai.usage.reasoning.output_tokens': 16,
    'gen_ai.usage.cost': 0.0004864,
    'gen_ai.conversation.id': 'conv-1',
    'server.address': 'api.openai.com',
    'server.port': 443,
    'http.response.status_code': 200,
  });
});

test('prompts, answers, instructions and tools are content, apart from the attributes', () => {
  const { content, attributes } = sample.spanOf(sample.chat);
  assert.deepEqual(JSON.parse(String(content['gen_ai.input.messages'])), sample.call.request.messages);
  assert.deepEqual(JSON.parse(String(content['gen_ai.system_instructions'])), sample.call.request.system_instructions);
  assert.deepEqual(JSON.parse(String(content['gen_ai.tool.definitions'])), sample.call.request.tools);
  const [answer] = JSON.parse(String(content['gen_ai.output.messages']));
  assert.equal(answer.finish_reason, 'tool_calls');
  assert.ok(!JSON.stringify(attributes).includes('orders'));
});

test('a call cut in the middle keeps what came, with the error and what is missing', () => {
  const cut: LlmCall = {
    ...sample.call,
    error: { type: 'connection_closed', message: 'closed after: my secret' },
    gaps: [
      { reason: 'cut', bytes: 0, detail: '' },
      { reason: 'lost_bytes', bytes: 100, detail: '' },
      { reason: 'lost_bytes', bytes: 20, detail: '' },
    ],
  };
  const span = sample.spanOf({ ...sample.chat, call: cut, lost_events: 3 });
  assert.deepEqual(span.status, { code: 'error', message: undefined });
  assert.equal(span.attributes['error.type'], 'connection_closed');
  assert.equal(span.attributes['gen_ai.response.id'], 'resp-1');
  assert.equal(span.attributes['undersight.capture.truncated_bytes'], 120);
  assert.deepEqual(span.attributes['undersight.capture.gap'], ['cut', 'lost_bytes']);
  assert.equal(span.attributes['undersight.capture.lost_events'], 3);
  assert.equal(span.content['undersight.error.message'], 'closed after: my secret');
  assert.ok(!JSON.stringify({ ...span.attributes, name: span.name }).includes('secret'));
});

test('without a stream there is no first chunk, and no stream attribute', () => {
  const whole = { ...sample.call, request: { ...sample.call.request, stream: false } };
  const { attributes } = sample.spanOf({ ...sample.chat, call: whole });
  assert.ok(!('gen_ai.request.stream' in attributes));
  assert.ok(!('gen_ai.response.time_to_first_chunk' in attributes));
});

test("the turn has totals under our own names, and the user's new words as its input", () => {
  const { attributes, content } = sample.spanOf({ ...sample.root, left_out_count: 4 });
  assert.deepEqual(attributes, {
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.provider.name': 'openai',
    'gen_ai.agent.name': 'demo-agent',
    'gen_ai.agent.version': '1.2.3',
    'undersight.turn.llm_call.count': 2,
    'undersight.turn.tool_call.count': 1,
    'undersight.turn.input_tokens': 11_000,
    'undersight.turn.output_tokens': 164,
    'undersight.turn.cache_read.input_tokens': 9216,
    'undersight.left_out.count': 4,
  });
  assert.deepEqual(JSON.parse(String(content['gen_ai.input.messages'])), [sample.call.request.messages[2]]);
});

test('a tool call names the command that ran; its arguments and its result are content', () => {
  const { attributes, content } = sample.spanOf(sample.tool);
  assert.deepEqual(attributes, {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'shell',
    'gen_ai.tool.call.id': 'c1',
    'gen_ai.tool.type': 'function',
    'gen_ai.tool.description': 'Runs a command',
    'process.executable.name': 'cat',
    'process.executable.path': '/usr/bin/cat',
    'process.exit.code': 0,
  });
  assert.deepEqual(content, {
    'gen_ai.tool.call.arguments': '{"command":"cat orders.json"}',
    'gen_ai.tool.call.result': 'orders\n',
  });
});

test('a process follows the conventions for command lines', () => {
  const { attributes, content, status } = sample.spanOf(sample.process);
  assert.deepEqual(attributes, {
    'process.executable.name': 'cat',
    'process.executable.path': '/usr/bin/cat',
    'process.command_args': ['cat', 'orders.json'],
    'process.pid': 101,
    'process.parent_pid': 100,
    'process.exit.code': 0,
    'process.working_directory': '/work',
    'process.user.id': 1000,
    'process.user.name': 'ada',
    'undersight.folded.count': 3,
    'undersight.correlation.signals': ['lineage', 'argument'],
    'undersight.correlation.score': 0.9,
    'undersight.correlation.requested': true,
  });
  assert.deepEqual(content, { 'undersight.correlation.matched': 'orders.json' });
  assert.equal(status.code, 'unset');
});

test('an exit code that is not 0 is an error, and so is a signal', () => {
  const failed = sample.spanOf({ ...sample.process, exit_code: 2 });
  assert.equal(failed.status.code, 'error');
  assert.equal(failed.attributes['error.type'], '2');
  const killed = sample.spanOf({ ...sample.process, exit_code: 0, signal: 9 });
  assert.equal(killed.status.code, 'error');
  assert.equal(killed.attributes['error.type'], 'SIGKILL');
  assert.equal(killed.attributes['process.exit.code'], 137);
});

test('scripts and prompts among the arguments are content, under the same name', () => {
  const args = ['/bin/sh', '-c', 'cat a | wc -l'];
  const { attributes, content } = sample.spanOf({ ...sample.process, args });
  assert.deepEqual(attributes['process.command_args'], ['/bin/sh', '-c', '[content: 13 chars]']);
  assert.deepEqual(content['process.command_args'], args);
});

test('a file has its path in parts, its class and its bytes', () => {
  assert.deepEqual(sample.spanOf(sample.file).attributes, {
    'file.path': '/work/orders.json',
    'file.name': 'orders.json',
    'file.directory': '/work',
    'file.extension': 'json',
    'undersight.file.operation': 'read',
    'undersight.file.class': 'workspace',
    'undersight.file.bytes_read': 640,
    'undersight.file.count': 1,
    'undersight.correlation.signals': ['lineage', 'argument'],
    'undersight.correlation.score': 0.9,
    'undersight.correlation.requested': true,
  });
  const top = sample.spanOf({ ...sample.file, path: '/.env' }).attributes;
  assert.deepEqual([top['file.name'], top['file.directory'], top['file.extension']], ['.env', '/', undefined]);
});

test('a file that is not there is no failure, one that is forbidden is', () => {
  assert.equal(sample.spanOf({ ...sample.file, error_type: 'ENOENT' }).status.code, 'unset');
  const denied = sample.spanOf({ ...sample.file, error_type: 'EACCES' });
  assert.equal(denied.status.code, 'error');
  assert.equal(denied.attributes['error.type'], 'EACCES');
});

test('a connection has both ends, the name that was asked for, and what went through', () => {
  const { attributes } = sample.spanOf(sample.network);
  assert.deepEqual(attributes, {
    'network.transport': 'tcp',
    'network.type': 'ipv4',
    'network.peer.address': '93.184.215.14',
    'network.peer.port': 443,
    'network.local.address': '10.0.0.2',
    'network.local.port': 51_000,
    'server.address': 'example.com',
    'server.port': 443,
    'undersight.network.operation': 'connect',
    'undersight.network.scope': 'external',
    'undersight.network.bytes_sent': 517,
    'undersight.network.bytes_received': 12_345,
    'undersight.network.retransmits': 1,
    'undersight.network.rtt': 0.0123,
    'undersight.network.count': 1,
    'undersight.correlation.signals': ['lineage', 'argument'],
    'undersight.correlation.score': 0.9,
    'undersight.correlation.requested': true,
  });
});

test('listening is internal, accepting is serving, and a look-up names its question', () => {
  assert.equal(sample.spanOf({ ...sample.network, operation: 'listen' }).kind, 'internal');
  assert.equal(sample.spanOf({ ...sample.network, operation: 'accept' }).kind, 'server');
  const lookup = sample.spanOf({ ...sample.network, operation: 'resolve', error_type: 'NXDOMAIN' });
  assert.equal(lookup.name, 'resolve external');
  assert.equal(lookup.attributes['dns.question.name'], 'example.com');
  assert.equal(lookup.attributes['server.address'], undefined);
  assert.equal(lookup.status.code, 'error');
});

test('effects carry the conversation, but nothing that makes them look like calls', () => {
  for (const activity of [sample.process, sample.file, sample.network]) {
    const { attributes } = sample.spanOf({ ...activity, conversation_id: 'conv-1' });
    const names = Object.keys(attributes).filter((name) => name.startsWith('gen_ai.'));
    assert.deepEqual(names, ['gen_ai.conversation.id']);
  }
});

test('long texts and lists are cut, content is not, and everything is Unicode', () => {
  const long = 'x'.repeat(10_000);
  const args = ['tool', ...Array.from({ length: 500 }, (_, index) => `f${index}`)];
  const path = `/work/\ud800${long}`;
  const { attributes } = sample.spanOf({ ...sample.file, path }, { max_attribute_chars: 100 });
  assert.equal(String(attributes['file.path']).length, 101);
  assert.ok(String(attributes['file.path']).isWellFormed());
  const listed = sample.spanOf({ ...sample.process, args }).attributes['process.command_args'] as string[];
  assert.equal(listed.length, 129);
  assert.equal(listed.at(-1), '[373 more]');
  const result = sample.spanOf({ ...sample.tool, result: long.repeat(100) }).content['gen_ai.tool.call.result'];
  assert.equal(String(result).length, 1_000_000);
});

test('arguments nested deeper than JSON can be written are left out, and nothing throws', () => {
  let nested: unknown = 0;
  for (let depth = 0; depth < 200_000; depth++) nested = [nested];
  const { content } = sample.spanOf({ ...sample.tool, tool: { ...sample.tool.tool, arguments: nested } });
  assert.ok(!('gen_ai.tool.call.arguments' in content));
});
