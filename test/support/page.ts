import type { TrialResult } from './trial.ts';

const INTRODUCTION = `# What was tried

\`npm run support\` writes this page. It installs each agent as its makers ship it, in exactly this version, and runs it without a
network: on the other side is a server that speaks the model’s API over real TLS, in a network namespace of its own with
nothing but loopback. The server answers with three commands to run, two of them at once; where there are MCP servers, with
calls of their tools too.

What happened is known from the server’s own log and from the files that the commands made, not from Undersight:

- **calls seen**: the trace has a span of the call, with the response id that the server gave. More of them than calls are a remark.
- **answers**: the span has exactly the text, the tool calls with their arguments, and the token counts that the server sent.
- **prompts**: every text that the agent sent in the request, results of tools included, is in the span.
- **commands**: of those that ran, how many are under the one tool call that asked for them, together with the file that each wrote.
- **MCP**: of the tool calls that MCP servers answered, how many are one span with the request to the server and its result.

To run it again, as root: \`npm run support\`; \`npm run support -- --only codex --dry\` tries a part and writes nothing. The first
time takes minutes and needs a network, for npm, PyPI, Go modules and crates. Go and Rust agents need \`go\` and \`cargo\`.`;

const HEADS = ['calls seen', 'answers', 'prompts', 'commands', 'MCP', 'remarks'];

/** The page that says what works with which agent. */
export function renderPage(results: readonly TrialResult[], machine: string): string {
  const under = results.filter(({ manner }) => manner === 'run');
  const beside = results.filter(({ manner }) => manner === 'watch');
  const tls = ({ tls: found }: TrialResult) => {
    if (found === undefined) return ['none', ''];
    return [found.families.join(', ') || 'not found', found.evidence];
  };
  const parts = [
    INTRODUCTION,
    `${inText(machine)}.`,
    '## Under `undersight run`, without any option',
    table(['agent', 'version', ...HEADS], under, figures),
    '## Beside `undersight watch`, without any option, that began before',
    table(['agent', 'version', ...HEADS], beside, figures),
    '## How their TLS functions are found',
    '`undersight targets inspect` says more of each.',
    table(['agent', 'version', 'TLS', 'known by, for one'], under, tls),
  ];
  return `${parts.join('\n\n')}\n`;
}

function table(
  heads: readonly string[],
  results: readonly TrialResult[],
  cells: (result: TrialResult) => readonly string[],
): string {
  const rows = results.map((result) => [result.agent.name, result.agent.version, ...cells(result)].map(inText));
  return [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function figures({ agent, manner, calls, commands, mcp_calls, problem }: TrialResult): string[] {
  const { made, seen, answered, asked, invented } = calls;
  const of = (count: number, all: number) => (all === 0 ? '' : `${count} of ${all}`);
  const remarks = [
    problem,
    invented === 0 ? '' : `${invented} spans of no call`,
    agent.note ?? '',
    manner === 'watch' && agent.unwatched !== undefined ? `\`watch\` ${agent.unwatched}` : '',
  ];
  return [
    of(seen, made),
    of(answered, made),
    of(asked, made),
    of(commands.seen, commands.run),
    of(mcp_calls.seen, mcp_calls.made),
    remarks.filter((remark) => remark !== '').join('. '),
  ];
}

/** As text of one table cell: no line ends, and nothing that Markdown takes for a cell's end, a tag or a link. */
function inText(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll('\\', '\\\\')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[|[\]*_]/g, '\\$&')
    .trim();
}
