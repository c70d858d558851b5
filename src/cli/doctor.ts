import type { Command } from 'commander';
import { addConfigOptions, type ConfigFlags, readConfig } from './config-options.ts';
import type { Finding } from './doctor/finding.ts';
import { EXIT_FAILURE } from './exit-code.ts';
import { toJson } from './json.ts';
import type { Terminal } from './terminal.ts';

const EXAMPLES = `
Examples:
  sudo undersight doctor
  sudo undersight doctor -c undersight.yaml     with the exporters and rules of a configuration
  undersight doctor --json | jq '.findings[] | select(.status == "missing")'

Exit code: 0 when watching works here, 1 when something essential is missing.
`;
const MARKS = { ok: ['ok      ', 32], fallback: ['fallback', 33], missing: ['missing ', 31] } as const;

export function addDoctor(program: Command, terminal: Terminal): void {
  addConfigOptions(program.command('doctor'))
    .description('say what works on this machine, what falls back, and how to mend the rest')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ConfigFlags & { json?: boolean }) => {
      const findings = await examine(flags, terminal);
      const works = !findings.some(({ essential, status }) => essential && status === 'missing');
      terminal.out(flags.json ? toJson({ works, findings }) : renderFindings(findings, terminal.color));
      if (!flags.json) terminal.out(works ? '\nWatching works here.\n' : '\nWatching does not work here yet.\n');
      if (!works) process.exitCode = EXIT_FAILURE;
    });
}

/** The other commands must not need what is examined here, so it is loaded when asked for. */
async function examine(flags: ConfigFlags, terminal: Terminal): Promise<Finding[]> {
  const config = readConfig(flags, terminal);
  const { findKernel } = await import('./doctor/kernel-findings.ts');
  const { findTargets } = await import('./doctor/target-findings.ts');
  const { findExporters } = await import('./doctor/exporter-findings.ts');
  return [
    { name: 'Node.js', status: 'ok', essential: true, detail: `${process.version} (${process.execPath})`, fix: '' },
    ...(await findKernel()),
    ...findTargets(config.receiver, terminal.env),
    ...(await findExporters(config, terminal.env)),
  ];
}

function renderFindings(findings: readonly Finding[], color: boolean): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  return findings
    .map(({ name, status, detail, fix }) => {
      const [mark, ansi] = MARKS[status];
      const shown = color ? `\x1b[${ansi}m${mark}\x1b[0m` : mark;
      const indent = `\n${' '.repeat(mark.length + width + 4)}`;
      const lines = [...detail.split('\n'), ...(fix === '' ? [] : [`-> ${fix}`])];
      return `${shown}  ${name.padEnd(width)}  ${lines.join(indent)}\n`;
    })
    .join('');
}
