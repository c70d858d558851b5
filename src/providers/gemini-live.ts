import type { LlmRequest } from '../model/llm-call.ts';
import { geminiProviderName } from './gemini.ts';
import { createGeminiReader } from './gemini-reader.ts';
import { geminiRequest } from './gemini-request.ts';
import { asObject, field, type JsonObject, parseJson, stringField } from './json-value.ts';
import { createOpenCalls, type OpenCall } from './open-calls.ts';
import { protoField, protoObjects, protoString } from './proto-json.ts';
import type { HttpRequestHead, ResponseReader } from './provider.ts';
import { requestPath } from './request-target.ts';
import type { WebSocketApi, WebSocketSession } from './websocket-api.ts';

const SWITCHED = { status: 101, headers: new Map<string, string>() };
/** Of what was added since the last request. */
const MAX_CONTENTS = 4096;
const MAX_CONTENT_CHARS = 2 ** 26;

/** The parts of what the model says that are no sound or picture. */
function withoutMedia(turn: unknown): readonly JsonObject[] {
  return protoObjects(turn, 'parts').filter((part) => protoField(part, 'inlineData') === undefined);
}

/** A message of the server as a chunk of a streamed response; undefined when it says nothing of one. */
function chunkOf(message: JsonObject): { readonly chunk: JsonObject; readonly is_end: boolean } | undefined {
  const content = asObject(protoField(message, 'serverContent'));
  const call = asObject(protoField(message, 'toolCall'));
  const usage = protoField(message, 'usageMetadata');
  if (content === undefined && call === undefined && usage === undefined) return undefined;
  const transcript = protoString(protoField(content, 'outputTranscription'), 'text');
  const parts: JsonObject[] = [...withoutMedia(protoField(content, 'modelTurn'))];
  if (transcript !== undefined) parts.push({ text: transcript });
  for (const functionCall of protoObjects(call, 'functionCalls')) parts.push({ functionCall });
  const is_end = call !== undefined || protoField(content, 'turnComplete') === true;
  const candidate = { content: { parts }, ...(is_end && { finishReason: 'STOP' }) };
  return { chunk: { candidates: [candidate], usageMetadata: usage }, is_end };
}

/** The server keeps the conversation: a request says what was added to it since the last one. */
function createSession(head: HttpRequestHead): WebSocketSession {
  let setup: JsonObject = {};
  let contents: JsonObject[] = [];
  let content_chars = 0;
  /** Turns are answered in the order in which they came. */
  const open = createOpenCalls<ResponseReader>(head, geminiProviderName(head));

  const add = (added: readonly JsonObject[], chars: number): void => {
    content_chars += added.length > 0 ? chars : 0;
    if (content_chars > MAX_CONTENT_CHARS) return;
    contents.push(...added.slice(0, MAX_CONTENTS - contents.length));
  };
  const begin = (): OpenCall<ResponseReader> => {
    const model = protoString(setup, 'model')?.replace(/^.*\//, '');
    const request: LlmRequest = geminiRequest({ ...setup, contents }, model, true);
    contents = [];
    content_chars = 0;
    return open.begin(request, createGeminiReader(SWITCHED));
  };
  return {
    sent(text) {
      const message = asObject(parseJson(text));
      setup = asObject(protoField(message, 'setup')) ?? setup;
      const client = asObject(protoField(message, 'clientContent'));
      const results = protoObjects(protoField(message, 'toolResponse'), 'functionResponses');
      const typed = stringField(protoField(message, 'realtimeInput'), 'text');
      add(protoObjects(client, 'turns'), text.length);
      if (results.length > 0)
        add([{ role: 'user', parts: results.map((functionResponse) => ({ functionResponse })) }], text.length);
      if (typed !== undefined) add([{ role: 'user', parts: [{ text: typed }] }], text.length);
      const is_turn = protoField(client, 'turnComplete') === true || results.length > 0 || typed !== undefined;
      if (!is_turn) return undefined;
      open.loseDamaged();
      return begin();
    },
    received(text, ktime_ns) {
      const message = asObject(parseJson(text));
      if (message === undefined) return undefined;
      const heard = stringField(protoField(protoField(message, 'serverContent'), 'inputTranscription'), 'text');
      if (heard !== undefined && open.list.length === 0) add([{ role: 'user', parts: [{ text: heard }] }], text.length);
      const read = chunkOf(message);
      if (read === undefined) return undefined;
      const says = field(read.chunk, 'candidates') as readonly {
        readonly content: { readonly parts: readonly unknown[] };
      }[];
      const call = open.list[0] ?? ((says[0]?.content.parts.length ?? 0) > 0 ? begin() : undefined);
      if (call === undefined) return undefined;
      call.reader.pushEvent({ event: undefined, data: JSON.stringify(read.chunk) }, ktime_ns);
      if (read.is_end) call.end('complete');
      return call;
    },
    damaged: open.damaged,
  };
}

/** Google's Live API (BidiGenerateContent), as far as it is text: what is spoken is known by its transcripts. */
export const geminiLiveWebSocket: WebSocketApi = {
  name: 'gemini_live',
  matches: (head) => /\.BidiGenerateContent$|\/BidiGenerateContent$/.test(requestPath(head)),
  recognises: (text) => protoString(protoField(parseJson(text), 'setup'), 'model') !== undefined,
  // No other service has such a path.
  understands: () => true,
  createSession,
};
