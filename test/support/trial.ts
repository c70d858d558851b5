import { existsSync, writeFileSync } from 'node:fs';
import { createWorkspace } from '../e2e/workspace.ts';
import type { ScenarioCall, Turn } from '../mock-llm/scenario.ts';
import { type MockLlm, startMockLlm } from '../mock-llm/server.ts';
import { type CallFigures, compareCalls, isCommandSeen, isMcpCall, isMcpCallSeen } from './comparison.ts';
import { serveHostName } from './host-name.ts';
import type { McpCall, Place, RealAgent } from './real-agent.ts';
import { trustSystemWide } from './system-trust.ts';
import { inspectFile, type TlsOfFile } from './tls-of-file.ts';
import { readTruth } from './truth.ts';
import { startWatching } from './watching.ts';

/** `run`: under `undersight run`. `watch`: beside an `undersight watch` that began before. */
export type Manner = 'run' | 'watch';

export interface TrialResult {
  readonly agent: RealAgent;
  readonly manner: Manner;
  /** undefined: it uses none, or `run` told already. */
  readonly tls: TlsOfFile | undefined;
  readonly calls: CallFigures;
  readonly commands: { readonly run: number; readonly seen: number };
  readonly mcp_calls: { readonly made: number; readonly seen: number };
  /** What went wrong, '' when nothing did. */
  readonly problem: string;
}

const ANSWER = 'There is one file, and it says: input.';
const USAGE = { input_tokens: 1234, output_tokens: 56 };
const INPUT = 'input';
const COMMANDS = [1, 2, 3].map((number) => ({
  command: `cat input.txt >made-by-${number}.txt; ls`,
  file: `made-by-${number}.txt`,
}));

/** Whether all that can be seen was seen. */
export const isWhole = (result: TrialResult): boolean =>
  result.manner === 'watch' && result.agent.unwatched !== undefined ? result.problem === '' : isSeenWhole(result);

const isSeenWhole = ({ agent, calls, commands, mcp_calls, problem }: TrialResult): boolean =>
  problem === '' &&
  calls.made > 0 &&
  [calls.seen, calls.answered, calls.asked].every((count) => count === calls.made) &&
  calls.invented === 0 &&
  commands.run === (agent.shell === undefined ? 0 : COMMANDS.length) &&
  commands.seen === commands.run &&
  mcp_calls.seen === mcp_calls.made;

/** Runs an agent through two rounds of commands, and compares what was seen with what happened. */
export async function tryAgent(agent: RealAgent, installed: string, manner: Manner): Promise<TrialResult> {
  const { plain, host, websocket } = agent.server ?? {};
  const turns: Turn[] = [];
  const mock = await startMockLlm({
    scenario: { turns },
    encodings: ['br', 'gzip'],
    ...(plain && { plain }),
    ...(host && { hosts: [host], port: 443 }),
    ...(websocket && { websocket: { compression: { threshold: 0 } } }),
  });
  const cleanups: (() => void | Promise<void>)[] = [];
  try {
    const workspace = createWorkspace({ after: (callback) => void cleanups.push(callback) }, mock);
    const place: Place = {
      installed,
      home: workspace.path('home'),
      working_directory: workspace.folder,
      url: `${plain ? 'http' : 'https'}://localhost:${mock.port}`,
      authority_path: mock.authority_path,
    };
    const before = agent.before?.(place) ?? [];
    turns.push(...makeTurns(before, agent));
    writeFileSync(workspace.path('input.txt'), `${INPUT}\n`);
    if (host !== undefined) cleanups.push(serveHostName(host, workspace.path('hosts')));
    if (agent.trusts === 'system') cleanups.push(trustSystemWide(mock.authority_path, workspace.path('bundle.pem')));
    const end = await agent.prepare?.(place);
    if (end !== undefined) cleanups.push(end);
    const trusted =
      agent.trusts === 'system'
        ? { SSL_CERT_FILE: undefined, NODE_EXTRA_CA_CERTS: undefined, CURL_CA_BUNDLE: undefined }
        : {};
    const environment = { TERM: 'dumb', NO_COLOR: '1', CI: '1', ...trusted, ...agent.environment?.(place) };
    const command = agent.command(place);
    const watching = manner === 'watch' ? await startWatching(workspace) : undefined;
    const result =
      watching === undefined
        ? await workspace.run(command, { environment, options: ['--content'] })
        : { ...(await workspace.command(command, { environment })), spans: await watching.stop(mock.port) };
    const ran = COMMANDS.filter(({ file }) => existsSync(workspace.path(file)));
    const mcp_calls = before.filter(isMcpCall).filter((call) => wasAnswered(call, mock));
    return {
      agent,
      manner,
      tls: plain || manner === 'watch' ? undefined : inspectFile(agent.tlsFile(place)),
      calls: compareCalls(readTruth(mock, turns), result.spans),
      commands: {
        run: ran.length,
        seen: ran.filter(({ command, file }) => isCommandSeen(command, file, result.spans)).length,
      },
      mcp_calls: { made: mcp_calls.length, seen: mcp_calls.filter((call) => isMcpCallSeen(call, result.spans)).length },
      problem:
        result.code !== 0 || !result.stdout.includes(ANSWER)
          ? describeFailure(result)
          : websocket && mock.websocket_exchanges.length === 0
            ? 'it used no WebSocket'
            : '',
    };
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

function makeTurns(before: readonly ScenarioCall[], { shell }: RealAgent): Turn[] {
  const calls = shell === undefined ? [] : COMMANDS.map(({ command }) => shell(command));
  const first = before.map((call) => ({ text: `First ${call.name}.`, calls: [call], usage: USAGE }));
  const asked: Turn[] = [
    { text: 'I will look.', calls: calls.slice(0, 2), usage: USAGE },
    { text: 'Once more.', calls: calls.slice(2), usage: USAGE },
  ];
  return [...first, ...(shell === undefined ? [] : asked), { text: ANSWER, usage: USAGE }];
}

/** What the tool gave came back to the model, so the call was made. */
const wasAnswered = ({ result }: McpCall, mock: MockLlm): boolean =>
  mock.exchanges.some(({ request_body }) => request_body.includes(result));

function describeFailure({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }): string {
  return `exit ${code}: ${stdout.slice(-500)} ${stderr.slice(-500)}`;
}
