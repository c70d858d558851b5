import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_KEY, type Place, PROMPT, type RealAgent } from '../real-agent.ts';

const CODEX_VERSION = '0.169.0';
const codexBinary = 'node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex';

const claudeEnvironment = {
  ANTHROPIC_API_KEY: API_KEY,
  // Its own word for "I may run as root".
  IS_SANDBOX: '1',
};
const claudeQuiet = { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' };

export const claudeCode: RealAgent = {
  name: 'Claude Code',
  version: '2.1.329',
  packages: { npm: ['@anthropic-ai/claude-code@2.1.329'] },
  command: ({ installed }) => [
    join(installed, 'node_modules/.bin/claude'),
    ...['-p', PROMPT, '--dangerously-skip-permissions'],
  ],
  environment: ({ url }) => ({ ...claudeEnvironment, ...claudeQuiet, ANTHROPIC_BASE_URL: url }),
  tlsFile: ({ installed }) => join(installed, 'node_modules/@anthropic-ai/claude-code/bin/claude.exe'),
  shell: (command) => ({ name: 'Bash', arguments: { command, description: 'Look around' } }),
};

const claudeCodeWithTelemetry: RealAgent = {
  ...claudeCode,
  name: 'Claude Code, its own host and telemetry',
  server: { host: 'api.anthropic.com' },
  environment: () => ({ ...claudeEnvironment, ANTHROPIC_BASE_URL: undefined }),
  note: 'Telemetry, settings and update checks on the same host are no calls, and none is taken for one',
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
      return undefined;
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
    return undefined;
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

/** As a user has it who logged in with a key: its own provider, whose host it knows. */
const codexBuiltIn: RealAgent = {
  ...codex('Codex, built-in provider over WebSocket', 'system'),
  server: { host: 'api.openai.com', websocket: true },
  prepare(place) {
    mkdirSync(codexHome(place));
    const settings = [
      'model = "gpt-5.1-codex"',
      'approval_policy = "never"',
      'sandbox_mode = "danger-full-access"',
      'check_for_update_on_startup = false',
    ];
    writeFileSync(join(codexHome(place), 'config.toml'), `${settings.join('\n')}\n`);
    const env = { ...process.env, HOME: place.home, CODEX_HOME: codexHome(place) };
    const command = join(place.installed, 'node_modules/.bin/codex');
    execFileSync(command, ['login', '--with-api-key'], { input: API_KEY, env, stdio: ['pipe', 'ignore', 'pipe'] });
    return undefined;
  },
  environment: (place) => ({ CODEX_HOME: codexHome(place), OPENAI_API_KEY: undefined, OPENAI_BASE_URL: undefined }),
  note: 'The first call is its warm-up, which has no answer',
};

export const commandLineAgents: readonly RealAgent[] = [
  claudeCode,
  claudeCodeWithTelemetry,
  codex('Codex', 'system'),
  codex('Codex (SSL_CERT_FILE set)', undefined),
  codexBuiltIn,
  geminiCli,
];
