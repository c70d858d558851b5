import { join } from 'node:path';
import { API_KEY, PROMPT, type RealAgent } from '../real-agent.ts';

const VERSION = '1.18.33';
const MODEL = 'claude-sonnet-4-5';

export const opencode: RealAgent = {
  name: 'opencode',
  version: VERSION,
  packages: { npm: [`opencode-ai@${VERSION}`] },
  // With a title it does not ask a model for one.
  command: ({ installed }) => [join(installed, 'node_modules/.bin/opencode'), 'run', '--title', 'A look', PROMPT],
  environment: ({ url }) => ({
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      autoupdate: false,
      share: 'disabled',
      model: `anthropic/${MODEL}`,
      permission: { bash: 'allow' },
      provider: { anthropic: { options: { baseURL: `${url}/v1`, apiKey: API_KEY }, models: { [MODEL]: {} } } },
    }),
  }),
  tlsFile: ({ installed }) => join(installed, 'node_modules/opencode-linux-x64/bin/opencode'),
  shell: (command) => ({ name: 'bash', arguments: { command, description: 'Look around' } }),
};
