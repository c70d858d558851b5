import type { Scenario } from '../../test/mock-llm/scenario.ts';

/** Two tool calls at once that run the same executable, then the answer. */
export const scenario: Scenario = {
  turns: [
    {
      text: 'I will ask both services.',
      calls: [
        { name: 'shell', arguments: { command: 'exec node check-service.mjs orders.json' } },
        { name: 'shell', arguments: { command: 'exec node check-service.mjs users.json' } },
      ],
      usage: { input_tokens: 182, output_tokens: 61, cache_read_tokens: 128 },
    },
    {
      text: 'Both services answer as described.',
      usage: { input_tokens: 274, output_tokens: 12, cache_read_tokens: 128 },
    },
  ],
};
