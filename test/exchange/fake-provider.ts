import type { CallError, LlmRequest } from '../../src/model/llm-call.ts';
import type { Provider } from '../../src/providers/provider.ts';

/** `POST /v1/chat` with `{"model", "stream"}`; what was answered is the one message's text. */
export const FAKE_PROVIDER: Provider = {
  name: 'fake',
  matches: ({ method, target }) => method === 'POST' && target.startsWith('/v1/chat'),
  parseRequest(head, body) {
    const { value, malformed } = parse(body.toString());
    const request: LlmRequest = {
      operation: 'chat',
      model: value.model,
      stream: value.stream === true,
      system_instructions: [],
      messages: [{ role: 'user', parts: [{ type: 'text', content: value.prompt ?? '' }] }],
      tools: [],
      attributes: { credentials: [...head.headers].filter(([name]) => /auth|key/.test(name)).join() },
    };
    return { provider: 'fake', request, malformed };
  },
  createResponseReader() {
    const reader = { text: '', complete: false };
    let error: CallError | undefined;
    let malformed: string | undefined;
    const take = (json: string): void => {
      const parsed = parse(json);
      malformed ??= parsed.malformed;
      reader.text += parsed.value.text ?? '';
      if (parsed.value.error !== undefined) error = { type: parsed.value.error, message: 'told by the provider' };
    };
    return {
      get complete() {
        return reader.complete;
      },
      pushEvent({ data }) {
        if (data === '[DONE]') reader.complete = true;
        else take(data);
      },
      pushBody: (body) => take(body.toString()),
      result: () => ({
        response: {
          finish_reasons: [],
          messages: [{ role: 'assistant', parts: [{ type: 'text', content: reader.text }] }],
          tool_calls: [],
          usage: {},
          attributes: {},
        },
        error,
        malformed,
      }),
    };
  },
};

interface FakeBody {
  readonly model?: string;
  readonly stream?: boolean;
  readonly prompt?: string;
  readonly text?: string;
  readonly error?: string;
}

function parse(json: string): { readonly value: FakeBody; readonly malformed: string | undefined } {
  try {
    return { value: JSON.parse(json), malformed: undefined };
  } catch {
    return { value: {}, malformed: 'no JSON' };
  }
}
