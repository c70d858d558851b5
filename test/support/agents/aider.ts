import { join } from 'node:path';
import { API_KEY, PROMPT, type RealAgent } from '../real-agent.ts';

const VERSION = '0.86.2';

/** It asks through LiteLLM, and has no tools: files are edited by what the answer says. */
export const aider: RealAgent = {
  name: 'aider',
  version: VERSION,
  packages: { pip: [`aider-chat==${VERSION}`] },
  command: ({ installed }) => [
    join(installed, 'venv/bin/aider'),
    ...['--model', 'openai/gpt-4o', '--weak-model', 'openai/gpt-4o', '--yes-always', '--no-git', '--no-pretty'],
    ...['--no-check-update', '--no-show-model-warnings', '--no-show-release-notes', '--analytics-disable'],
    ...['--no-detect-urls', '--map-tokens', '0', '--message', PROMPT],
  ],
  environment: ({ url }) => ({
    OPENAI_API_BASE: `${url}/v1`,
    OPENAI_API_KEY: API_KEY,
    LITELLM_LOCAL_MODEL_COST_MAP: 'true',
    PYTHONDONTWRITEBYTECODE: '1',
  }),
  tlsFile: () => '/usr/lib/x86_64-linux-gnu/libssl.so.3',
  note: 'It has no tools',
};
