import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { geminiLiveWebSocket } from '../../src/providers/gemini-live.ts';
import { realtimeWebSocket } from '../../src/providers/openai-realtime.ts';
import type { HttpRequestHead } from '../../src/providers/provider.ts';
import type { WebSocketApi, WebSocketCall } from '../../src/providers/websocket-api.ts';
import { webSocketApis } from '../../src/providers/websocket-apis.ts';

function upgrade(target: string, host: string): HttpRequestHead {
  return { method: 'GET', target, host, headers: new Map() };
}

/** A session of an API, and the calls of it in the order in which they began. */
function converse(api: WebSocketApi, head: HttpRequestHead) {
  const session = api.createSession(head);
  const calls: WebSocketCall[] = [];
  let now_ns = 0n;
  const note = (call: WebSocketCall | undefined): void => {
    if (call !== undefined && !calls.includes(call)) calls.push(call);
  };
  return {
    calls,
    session,
    say: (message: unknown) => note(session.sent(JSON.stringify(message), ++now_ns)),
    hear: (message: unknown) => note(session.received(JSON.stringify(message), ++now_ns)),
    outcome: (index: number) => {
      const call = calls[index];
      assert.ok(call);
      const { response, error } = call.result();
      return { state: call.state, response, error, text: response.messages.flatMap(({ parts }) => parts) };
    },
  };
}

test('upgrades are told apart by their paths', () => {
  const names = (target: string, host = 'localhost') =>
    webSocketApis.filter((api) => api.matches(upgrade(target, host))).map(({ name }) => name);
  assert.deepEqual(names('/v1/responses'), ['openai_responses_websocket']);
  assert.deepEqual(names('/backend-api/codex/responses?x=1'), ['openai_responses_websocket']);
  assert.deepEqual(names('/v1/realtime?model=gpt-realtime'), ['openai_realtime']);
  assert.deepEqual(names('/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k'), [
    'gemini_live',
  ]);
  assert.deepEqual(names('/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent'), ['gemini_live']);
  assert.deepEqual(names('/socket'), []);
});

describe('OpenAI Realtime', () => {
  const open = () => converse(realtimeWebSocket, upgrade('/v1/realtime?model=gpt-realtime', 'api.openai.com'));
  const typed = (text: string) => ({
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
  });
  const done = (id: string, fields: object = {}) => ({
    type: 'response.done',
    response: { id, status: 'completed', conversation_id: 'conv_1', output: [], ...fields },
  });

  test('a typed question and its answer, with the instructions and tools of the session', () => {
    const { say, hear, calls, outcome } = open();
    hear({ type: 'session.created', session: { model: 'gpt-realtime-1', instructions: 'Be kind.' } });
    const tools = [{ type: 'function', name: 'shell', parameters: { type: 'object' } }];
    say({ type: 'session.update', session: { instructions: 'Be brief.', tools, output_modalities: ['text'] } });
    say(typed('hi'));
    say({ type: 'response.create' });
    hear({ type: 'response.created', response: { id: 'r1', status: 'in_progress' } });
    const message = { type: 'message', role: 'assistant', content: [] };
    hear({ type: 'response.output_item.added', response_id: 'r1', output_index: 0, item: message });
    hear({ type: 'response.output_text.delta', response_id: 'r1', output_index: 0, delta: 'hel' });
    hear({ type: 'response.output_text.delta', response_id: 'r1', output_index: 0, delta: 'lo' });
    assert.deepEqual(outcome(0).text, [{ type: 'text', content: 'hello' }]);
    assert.equal(outcome(0).state, 'open');
    const call = { type: 'function_call', call_id: 'c1', name: 'shell', arguments: '{"command":"ls"}' };
    const usage = {
      input_tokens: 9,
      output_tokens: 4,
      input_token_details: {
        cached_tokens: 3,
        text_tokens: 4,
        audio_tokens: 5,
        cached_tokens_details: { audio_tokens: 2 },
      },
      output_token_details: { text_tokens: 1, audio_tokens: 3 },
    };
    hear(done('r1', { output: [{ ...message, content: [{ type: 'output_text', text: 'hello' }] }, call], usage }));
    const { state, response } = outcome(0);
    assert.equal(state, 'complete');
    assert.deepEqual(response.usage, {
      input_tokens: 9,
      output_tokens: 4,
      cache_read_input_tokens: 3,
      input_audio_tokens: 5,
      output_audio_tokens: 3,
      cache_read_audio_tokens: 2,
    });
    assert.deepEqual(
      response.tool_calls.map(({ id, name, arguments: args }) => [id, name, args]),
      [['c1', 'shell', { command: 'ls' }]],
    );
    const { request, provider } = calls[0] as WebSocketCall;
    assert.equal(provider, 'openai');
    assert.equal(request.model, 'gpt-realtime-1');
    assert.deepEqual(request.system_instructions, [{ type: 'text', content: 'Be brief.' }]);
    assert.deepEqual(request.messages, [{ role: 'user', parts: [{ type: 'text', content: 'hi' }] }]);
    assert.deepEqual(
      request.tools.map(({ name }) => name),
      ['shell'],
    );
  });

  test('the next request says what was added since, in the same conversation', () => {
    const { say, hear, calls } = open();
    say(typed('hi'));
    say({ type: 'response.create' });
    hear({ type: 'response.created', response: { id: 'r1' } });
    hear(done('r1'));
    say({ type: 'conversation.item.create', item: { type: 'function_call_output', call_id: 'c1', output: 'a.txt' } });
    say({ type: 'response.create', response: { instructions: 'In one word.' } });
    assert.deepEqual(calls[1]?.request.messages, [
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: 'a.txt' }] },
    ]);
    assert.equal(calls[1]?.request.conversation_id, 'conv_1');
    assert.deepEqual(calls[1]?.request.system_instructions, [{ type: 'text', content: 'In one word.' }]);
  });

  test('what is spoken is known by its transcripts; the server may answer unasked; no sound is kept', () => {
    const { say, hear, calls, outcome } = open();
    const audio = 'UklGRg'.repeat(100);
    say({ type: 'input_audio_buffer.append', audio });
    hear({
      type: 'conversation.item.input_audio_transcription.completed',
      item_id: 'i',
      transcript: 'what time is it',
    });
    hear({ type: 'response.created', response: { id: 'r1' } });
    hear({ type: 'response.output_audio.delta', response_id: 'r1', output_index: 0, delta: audio });
    hear({ type: 'response.output_audio_transcript.delta', response_id: 'r1', output_index: 0, delta: 'noon' });
    const content = [{ type: 'output_audio', transcript: 'noon', audio }];
    hear(done('r1', { output: [{ type: 'message', role: 'assistant', content }] }));
    assert.deepEqual(calls[0]?.request.messages, [
      { role: 'user', parts: [{ type: 'text', content: 'what time is it' }] },
    ]);
    assert.deepEqual(outcome(0).text, [{ type: 'text', content: 'noon' }]);
    assert.ok(!JSON.stringify(outcome(0)).includes('UklGRg'));
  });

  test('two responses at a time keep apart', () => {
    const { say, hear, outcome } = open();
    say({ type: 'response.create' });
    say({ type: 'response.create', response: { conversation: 'none', input: [] } });
    hear({ type: 'response.created', response: { id: 'r1' } });
    hear({ type: 'response.created', response: { id: 'r2' } });
    hear({ type: 'response.output_text.delta', response_id: 'r2', output_index: 0, delta: 'two' });
    hear({ type: 'response.output_text.delta', response_id: 'r1', output_index: 0, delta: 'one' });
    hear(done('r2'));
    hear(done('r1'));
    assert.deepEqual(
      [0, 1].map((index) => outcome(index).text),
      [[{ type: 'text', content: 'one' }], [{ type: 'text', content: 'two' }]],
    );
  });

  test('a response that failed, and one that was refused', () => {
    const { say, hear, outcome } = open();
    say({ type: 'response.create' });
    hear({ type: 'response.created', response: { id: 'r1' } });
    const error = { type: 'server_error', code: 'overloaded', message: 'busy' };
    hear(done('r1', { status: 'failed', status_details: { type: 'failed', error } }));
    assert.equal(outcome(0).error?.message, 'busy');
    say({ type: 'response.create' });
    hear({ type: 'error', error: { type: 'invalid_request_error', message: 'no' } });
    assert.deepEqual([outcome(1).state, outcome(1).error?.type], ['complete', 'invalid_request_error']);
  });
});

describe('Gemini Live', () => {
  const open = () => {
    const target = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent';
    const session = converse(geminiLiveWebSocket, upgrade(target, 'generativelanguage.googleapis.com'));
    session.say({
      setup: {
        model: 'models/gemini-live-2.5',
        generationConfig: { responseModalities: ['TEXT'], temperature: 0.5 },
        systemInstruction: { parts: [{ text: 'Be brief.' }] },
        tools: [{ functionDeclarations: [{ name: 'shell' }] }],
      },
    });
    session.hear({ setupComplete: {} });
    return session;
  };

  test('a turn, its tool call, and the answer to its result', () => {
    const { say, hear, calls, outcome } = open();
    say({ clientContent: { turns: [{ role: 'user', parts: [{ text: 'hi' }] }], turnComplete: true } });
    hear({ toolCall: { functionCalls: [{ id: 'c1', name: 'shell', args: { command: 'ls' } }] } });
    say({ toolResponse: { functionResponses: [{ id: 'c1', name: 'shell', response: { output: 'a.txt' } }] } });
    hear({ serverContent: { modelTurn: { parts: [{ text: 'one ' }] } } });
    hear({ serverContent: { modelTurn: { parts: [{ text: 'file' }] } } });
    hear({ serverContent: { turnComplete: true }, usageMetadata: { promptTokenCount: 8, responseTokenCount: 2 } });
    assert.equal(calls.length, 2);
    const { request, provider } = calls[0] as WebSocketCall;
    assert.deepEqual([provider, request.model, request.temperature], ['gcp.gemini', 'gemini-live-2.5', 0.5]);
    assert.deepEqual(request.system_instructions, [{ type: 'text', content: 'Be brief.' }]);
    assert.deepEqual(request.messages, [{ role: 'user', parts: [{ type: 'text', content: 'hi' }] }]);
    assert.deepEqual(
      outcome(0).response.tool_calls.map(({ id, name, arguments: args }) => [id, name, args]),
      [['c1', 'shell', { command: 'ls' }]],
    );
    assert.equal(calls[1]?.request.messages[0]?.role, 'tool');
    assert.deepEqual(outcome(1).text, [{ type: 'text', content: 'one file' }]);
    assert.deepEqual(outcome(1).response.usage, { input_tokens: 8, output_tokens: 2 });
    assert.equal(outcome(1).state, 'complete');
  });

  test('what is spoken is known by its transcripts, and no sound is kept', () => {
    const { say, hear, calls, outcome } = open();
    const sound = { inlineData: { mimeType: 'audio/pcm', data: 'UklGRg' } };
    say({ realtimeInput: { audio: { mimeType: 'audio/pcm', data: 'UklGRg' } } });
    hear({ serverContent: { inputTranscription: { text: 'what time is it' } } });
    hear({ serverContent: { modelTurn: { parts: [sound] } } });
    hear({ serverContent: { outputTranscription: { text: 'noon' } } });
    hear({ serverContent: { turnComplete: true } });
    assert.deepEqual(calls[0]?.request.messages, [
      { role: 'user', parts: [{ type: 'text', content: 'what time is it' }] },
    ]);
    assert.deepEqual(outcome(0).text, [{ type: 'text', content: 'noon' }]);
    assert.ok(!JSON.stringify(outcome(0).response).includes('UklGRg'));
  });
});

test('hostile messages are no calls, and no failures', () => {
  const texts = [
    '',
    'null',
    '[]',
    '{',
    '"x"',
    '{"type":5}',
    '{"type":"response.created"}',
    '{"type":"response.create"}',
  ];
  texts.push('{"type":"response.done","response":[]}', '{"setup":[],"clientContent":7,"toolResponse":"x"}');
  texts.push('{"serverContent":{"modelTurn":[1,2]}}', '{"toolCall":{"functionCalls":{"name":null}}}');
  texts.push('{"__proto__":{"type":"session.update"}}', '{"type":"session.update","session":[1]}');
  for (const api of webSocketApis) {
    const session = api.createSession(upgrade('/v1/responses', 'x'));
    for (const text of [...texts, ...texts]) {
      session.sent(text, 1n)?.result();
      session.received(text, 2n)?.result();
      session.damaged('received');
    }
  }
});
