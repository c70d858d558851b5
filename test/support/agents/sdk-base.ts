import { API_KEY, type Place } from '../real-agent.ts';

/** Why `watch` misses calls of compiled programs this small. */
export const TOO_QUICK =
  'joins a program while it runs; this one calls its model milliseconds after its start, so that its first calls are missed, or all';

/** Small agents with a shell tool, each on a published SDK. */
export const base = {
  environment: ({ url }: Place) => ({
    OPENAI_BASE_URL: `${url}/v1`,
    ANTHROPIC_BASE_URL: url,
    OPENAI_API_KEY: API_KEY,
    ANTHROPIC_API_KEY: API_KEY,
    PYTHONDONTWRITEBYTECODE: '1',
    LANGSMITH_TRACING: 'false',
  }),
  shell: (command: string) => ({ name: 'shell', arguments: { command } }),
};
