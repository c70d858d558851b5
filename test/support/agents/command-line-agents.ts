import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_KEY, type Place, PROMPT, type RealAgent } from '../real-agent.ts';

const CODEX_VERSION = '0.169.0';
const codexBinary = 'node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex';

const claudeCode: RealAgent = {
  name: 'Claude Code',
  version: '2.1.329',
  packages: { npm: ['@anthropic-ai/claude-code@2.1.329'] },
  command: ({ installed }) => [
    join(installed, 'node_modules/.bin/claude'),
    ...['-p', PROMPT, '--dangerously-skip-permissions'],
  ],
  environment: ({ url }) => ({
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: API_KEY,
    // Its own word for "I may run as root".
    IS_SANDBOX: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
  }),
  tlsFile: ({ installed }) => join(installed, 'node_modules/@anthropic-ai/claude-code/bin/claude.exe'),
  shell: (command) => ({ name: 'Bash', arguments: { command, description: 'Look around' } }),
};

function codex(name: string, trusts: 'system' | undefined): RealAgent {
  return {
    name,
    version: CODEX_VERSION,
    packages: { npm: [`@openai/codex@${CODEX_VERSION}`] },
    ...(trusts && { trusts }),
    prepare(place) {
      mkdirSync(codexHome(place));
      const settings = [
        'model = "gpt-5.1-codex"',
        'model_provider = "local"',
        'approval_policy = "never"',
        'sandbox_mode = "danger-full-access"',
        'check_for_update_on_startup = false',
        'analytics.enabled = false',
        '[model_providers.local]',
        'name = "local"',
        `base_url = "${place.url}/v1"`,
        'env_key = "OPENAI_API_KEY"',
        'wire_api = "responses"',
      ];
      writeFileSync(join(codexHome(place), 'config.toml'), `${settings.join('\n')}\n`);
    },
    command: ({ installed }) => [
      join(installed, 'node_modules/.bin/codex'),
      ...['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', PROMPT],
    ],
    environment: (place) => ({ CODEX_HOME: codexHome(place), OPENAI_API_KEY: API_KEY }),
    tlsFile: ({ installed }) => join(installed, codexBinary),
    shell: (command) => ({ name: 'exec_command', arguments: { cmd: command } }),
  };
}

const codexHome = ({ home }: Place): string => join(home, '.codex');

const geminiCli: RealAgent = {
  name: 'Gemini CLI',
  version: '0.61.0',
  packages: { npm: ['@google/gemini-cli@0.61.0'] },
  prepare({ home }) {
    const settings = {
      telemetry: { enabled: false },
      privacy: { usageStatisticsEnabled: false },
      general: { disableAutoUpdate: true, disableUpdateNag: true },
      security: { auth: { selectedType: 'gemini-api-key' } },
    };
    mkdirSync(join(home, '.gemini'));
    writeFileSync(join(home, '.gemini/settings.json'), JSON.stringify(settings));
  },
  command: ({ installed }) => [
    process.execPath,
    join(installed, 'node_modules/@google/gemini-cli/bundle/gemini.js'),
    ...['--yolo', '--model', 'gemini-2.5-pro', '-p', PROMPT],
  ],
  environment: ({ url }) => ({
    GOOGLE_GEMINI_BASE_URL: url,
    GEMINI_API_KEY: 'AIzaSyNotARealKeyButAsLongAsOneWouldBe0',
    GEMINI_CLI_TRUST_WORKSPACE: 'true',
  }),
  tlsFile: () => process.execPath,
  shell: (command) => ({ name: 'run_shell_command', arguments: { command, description: 'Look around' } }),
};

export const commandLineAgents: readonly RealAgent[] = [
  claudeCode,
  codex('Codex', 'system'),
  codex('Codex (SSL_CERT_FILE set)', undefined),
  geminiCli,
];
