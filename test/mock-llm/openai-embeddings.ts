import type { Api } from './scenario.ts';

/** OpenAI embeddings: three numbers for each input, no streaming. */
export const openaiEmbeddings: Api = {
  path: '/v1/embeddings',

  read: (json) => ({ json, model: String(json.model), stream: false, turn: 0, prompt: String(json.input) }),

  answer(request, turn, number) {
    const inputs = Array.isArray(request.json.input) ? request.json.input : [request.json.input];
    const tokens = turn.usage?.input_tokens ?? inputs.length * 8;
    return {
      id: `embedding-${number}`,
      body: {
        object: 'list',
        data: inputs.map((_, index) => ({ object: 'embedding', index, embedding: [0.25, -0.5, 0.125] })),
        model: request.model,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      },
      events: [],
      error_event: { data: '' },
    };
  },

  errorBody: ({ type, message }) => ({ error: { message, type, param: null, code: type } }),
};
