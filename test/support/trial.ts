import { existsSync, writeFileSync } from 'node:fs';
import { descend, isTool, type TraceNode } from '../e2e/trace.ts';
import { createWorkspace } from '../e2e/workspace.ts';
import { startMockLlm } from '../mock-llm/server.ts';
import type { Place, RealAgent } from './real-agent.ts';
import { trustSystemWide } from './system-trust.ts';
import { inspectFile } from './tls-of-file.ts';

export interface TrialResult {
  readonly agent: RealAgent;
  /** How its TLS functions are found, by family. */
  readonly tls: string;
  readonly calls_made: number;
  readonly calls_seen: number;
  /** With the text and the usage that the server sent. */
  readonly calls_whole: number;
  readonly commands_run: number;
  /** Under the tool call that asked for them, with the file that they made. */
  readonly commands_seen: number;
  /** What went wrong, '' when nothing did. */
  readonly problem: string;
}

const ANSWER = 'There is one file, and it says: input.';
const USAGE = { input_tokens: 1234, output_tokens: 56 };
const COMMANDS = [1, 2, 3].map((number) => `cat input.txt >made-by-${number}.txt; ls`);

/** Runs an agent under `undersight run` through two rounds of commands, and compares what was seen with what happened. */
export async function tryAgent(agent: RealAgent, installed: string): Promise<TrialResult> {
  const calls = COMMANDS.map((command) => agent.shell(command));
  const mock = await startMockLlm({
    scenario: {
      turns: [
        { text: 'I will look.', calls: calls.slice(0, 2), usage: USAGE },
        { text: 'Once more.', calls: calls.slice(2), usage: USAGE },
        { text: ANSWER, usage: USAGE },
      ],
    },
    encodings: ['br', 'gzip'],
  });
  const cleanups: (() => void | Promise<void>)[] = [];
  try {
    const workspace = createWorkspace({ after: (callback) => void cleanups.push(callback) }, mock);
    const place: Place = {
      installed,
      home: workspace.path('home'),
      working_directory: workspace.folder,
      url: `https://localhost:${mock.port}`,
      authority_path: mock.authority_path,
    };
    writeFileSync(workspace.path('input.txt'), 'input\n');
    agent.prepare?.(place);
    if (agent.trusts === 'system') cleanups.push(trustSystemWide(mock.authority_path, workspace.path('bundle.pem')));
    const trusted: Record<string, string> =
      agent.trusts === 'system' ? { SSL_CERT_FILE: '', NODE_EXTRA_CA_CERTS: '', CURL_CA_BUNDLE: '' } : {};
    const environment = { TERM: 'dumb', NO_COLOR: '1', CI: '1', ...trusted, ...agent.environment?.(place) };
    const result = await workspace.run(agent.command(place), { environment, options: ['--content'] });
    const problem = result.code === 0 && result.stdout.includes(ANSWER) ? '' : describeFailure(result);
    const chats = new Map(result.spans.map((span) => [span.attributes['gen_ai.response.id'], span]));
    const seen = mock.exchanges.flatMap(({ response_id }) => chats.get(response_id) ?? []);
    const ran = COMMANDS.filter((_, index) => existsSync(workspace.path(`made-by-${index + 1}.txt`)));
    return {
      agent,
      tls: inspectFile(agent.tlsFile(place)),
      calls_made: mock.exchanges.length,
      calls_seen: seen.length,
      calls_whole: seen.filter(isWhole).length,
      commands_run: ran.length,
      commands_seen: ran.filter((command) => isSeen(command, result.spans)).length,
      problem,
    };
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

function isWhole({ attributes }: TraceNode): boolean {
  const text = String(attributes['gen_ai.output.messages']);
  return (
    ['I will look.', 'Once more.', ANSWER].some((said) => text.includes(said)) &&
    attributes['gen_ai.usage.input_tokens'] === USAGE.input_tokens &&
    attributes['gen_ai.usage.output_tokens'] === USAGE.output_tokens
  );
}

/** One tool call asked for it; under that, a process ran it and made its file. */
function isSeen(command: string, spans: readonly TraceNode[]): boolean {
  const file = /made-by-\d\.txt/.exec(command)?.[0] ?? '';
  const tools = spans.filter(
    (span) => isTool(span) && String(span.attributes['gen_ai.tool.call.arguments']).includes(command),
  );
  const made = tools.flatMap(descend).filter((span) => String(span.attributes['file.path']).endsWith(file));
  return tools.length === 1 && made.length > 0;
}

function describeFailure({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }): string {
  return `exit ${code}: ${stdout.slice(-500)} ${stderr.slice(-500)}`.replaceAll('\n', ' ');
}
