import type { TrialResult } from './trial.ts';

/** The page that says what works with which agent. */
export function renderPage(results: readonly TrialResult[], machine: string): string {
  const rows = results.map((result) => {
    const { agent, tls, calls_made, calls_seen, calls_whole, commands_run, commands_seen, problem } = result;
    const calls = `${calls_seen} of ${calls_made}${calls_whole === calls_seen ? '' : ` (${calls_whole} whole)`}`;
    return [
      agent.name,
      agent.version,
      tls,
      calls,
      `${commands_seen} of ${commands_run}`,
      problem === '' ? '' : problem,
    ];
  });
  const lines = [
    '# What was tried',
    '',
    'Written by `npm run support`. It installs each agent as its makers ship it, in exactly this version, and runs it under',
    '`undersight run`, without any option and without a network: on the other side is a server that speaks the model’s API over',
    'real TLS and answers with three commands to run, two of them at once. A call is seen when the trace has a chat span with the',
    'response id that the server gave, and whole when that has the text and the token counts that the server sent. A command is',
    'seen when it and the file that it writes are under the one tool call that asked for it.',
    '',
    `${machine}.`,
    '',
    '| agent | version | TLS found by | calls seen of those made | commands seen of those run | remarks |',
    '|---|---|---|---|---|---|',
    ...rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`),
    '',
  ];
  return lines.join('\n');
}
