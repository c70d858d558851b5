import { type Api, defaultUsage, deltasOf, lastQuestion, turnText } from './scenario.ts';

interface GeminiContent {
  role?: string;
  parts?: readonly { text?: string }[];
}

/** Gemini's generateContent and streamGenerateContent, as its API reference describes them. */
export const geminiGenerate: Api = {
  path: /^\/v1(beta)?\/models\/[^/:]+:(streamGenerateContent|generateContent)$/,

  read(json, path) {
    const contents = (json.contents ?? []) as GeminiContent[];
    return {
      json,
      model: /models\/([^/:]+):/.exec(path)?.[1] ?? '',
      stream: path.includes(':stream'),
      turn: contents.filter(({ role }) => role === 'model').length,
      prompt: lastQuestion(contents.map(({ role = 'user', parts }) => ({ role, content: parts }))),
    };
  },

  answer(request, turn, number) {
    const id = `gemini_${number}`;
    const usage = turn.usage ?? defaultUsage;
    const text = turnText(turn, request);
    const calls = (turn.calls ?? []).map(({ name, arguments: args }) => ({ functionCall: { name, args } }));
    const said = text === '' ? [] : [{ text }];
    const thought = turn.reasoning === undefined ? [] : [{ text: turn.reasoning, thought: true }];
    const usageMetadata = {
      promptTokenCount: usage.input_tokens,
      cachedContentTokenCount: usage.cache_read_tokens ?? 0,
      candidatesTokenCount: usage.output_tokens - (usage.reasoning_tokens ?? 0),
      thoughtsTokenCount: usage.reasoning_tokens ?? 0,
      totalTokenCount: usage.input_tokens + usage.output_tokens,
    };
    const chunk = (parts: readonly object[], end?: object) => ({
      candidates: [{ content: { role: 'model', parts }, index: 0, ...(end && { finishReason: 'STOP' }) }],
      modelVersion: request.model,
      responseId: id,
      ...end,
    });
    const pieces = deltasOf(text).map((piece) => chunk([{ text: piece }]));
    const chunks = [...(thought.length > 0 ? [chunk(thought)] : []), ...pieces, chunk(calls, { usageMetadata })];
    return {
      id,
      body: chunk([...thought, ...said, ...calls], { usageMetadata }),
      events: chunks.map((one) => ({ data: JSON.stringify(one) })),
      error_event: { data: JSON.stringify(geminiGenerate.errorBody({ type: 'UNAVAILABLE', message: 'Overloaded' })) },
    };
  },

  errorBody: ({ type, message }) => ({ error: { code: 503, status: type, message } }),
};
