/**
 * The agents we know by sight. An agent is recognised by its executable's name, or by the script that an interpreter was
 * given; nothing that it does is needed.
 */
export interface KnownAgent {
  readonly name: string;
  /** Base names of native executables, or what they are called by. */
  readonly executables?: readonly string[];
  /** How the path of the script that an interpreter was given ends: whole components, `*` for any one. */
  readonly scripts?: readonly string[];
  /** Names for `python -m`. */
  readonly modules?: readonly string[];
}

export const KNOWN_AGENTS: readonly KnownAgent[] = [
  { name: 'claude-code', executables: ['claude'], scripts: ['claude', '@anthropic-ai/claude-code/cli.js'] },
  { name: 'codex', executables: ['codex'], scripts: ['codex', '@openai/codex/bin/codex.js'] },
  {
    name: 'gemini-cli',
    executables: ['gemini'],
    scripts: ['gemini', '@google/gemini-cli/dist/index.js', '@google/gemini-cli/bundle/gemini.js'],
  },
  {
    name: 'qwen-code',
    executables: ['qwen'],
    scripts: ['qwen', '@qwen-code/qwen-code/dist/index.js', '@qwen-code/qwen-code/cli.js'],
  },
  {
    name: 'copilot-cli',
    executables: ['copilot'],
    scripts: ['copilot', '@github/copilot/index.js', '@github/copilot/npm-loader.js'],
  },
  { name: 'amp', executables: ['amp'], scripts: ['amp', '@sourcegraph/amp/dist/main.js'] },
  { name: 'opencode', executables: ['opencode'], scripts: ['opencode', 'opencode-ai/bin/opencode'] },
  {
    name: 'cursor-agent',
    executables: ['cursor-agent'],
    scripts: ['cursor-agent', 'cursor-agent/versions/*/index.js'],
  },
  { name: 'goose', executables: ['goose', 'goosed'] },
  { name: 'crush', executables: ['crush'] },
  { name: 'kiro', executables: ['kiro-cli', 'kiro-cli-chat'] },
  { name: 'droid', executables: ['droid'] },
  { name: 'aider', scripts: ['aider'], modules: ['aider'] },
  { name: 'openhands', scripts: ['openhands'], modules: ['openhands', 'openhands.cli.main'] },
  { name: 'open-interpreter', scripts: ['interpreter'], modules: ['interpreter'] },
  { name: 'swe-agent', scripts: ['sweagent'], modules: ['sweagent', 'minisweagent'] },
  { name: 'llm', scripts: ['llm'], modules: ['llm'] },
];
