import fs from 'node:fs';
import type { Command } from 'commander';
import { printable } from '../export/console/printable-text.ts';
import { SetupError } from '../model/setup-error.ts';
import { EXIT_FAILURE } from './exit-code.ts';
import { toJson } from './json.ts';
import type { Terminal } from './terminal.ts';

const EXAMPLES = `
Examples:
  undersight targets inspect "$(command -v claude)"
  undersight targets inspect /usr/lib/x86_64-linux-gnu/libssl.so.3
  undersight targets inspect --json ./agent | jq -r '.functions[] | "\\(.name) \\(.file_offset)"'

Exit code: 0 when TLS functions were found, 1 when there are none.
`;

export function addTargetsInspect(targets: Command, terminal: Terminal): void {
  targets
    .command('inspect')
    .description('say which TLS functions a program or library holds, and what they were known by')
    .argument('<binary>', 'path of an executable or shared library')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, flags: { json?: boolean }) => {
      const report = await inspect(file);
      terminal.out(flags.json ? toJson(report) : renderReport(report));
      if (report.families.length === 0) process.exitCode = EXIT_FAILURE;
    });
}

interface Report {
  readonly path: string;
  readonly build_id: string | null;
  /** None: nothing was found. */
  readonly families: readonly string[];
  readonly functions: readonly { readonly name: string; readonly file_offset: bigint }[];
  readonly evidence: readonly string[];
  /** What was tried in vain, and what it lacked. */
  readonly missing: readonly { readonly family: string; readonly missing: string }[];
}

/** Reads the file anew: nothing that was remembered is used. The other commands must not need what does it. */
async function inspect(file: string): Promise<Report> {
  const { readBuildId, readElf } = await import('../targets/elf.ts');
  const { inspectTls } = await import('../targets/tls/inspect-tls.ts');
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const elf = readElf(fd);
    if (elf === undefined)
      throw new SetupError(`${file} is no 64-bit ELF file`, 'Name the program that a script runs.');
    const { found, missing } = inspectTls(elf);
    return {
      path: file,
      build_id: readBuildId(elf) ?? null,
      families: found?.families ?? [],
      functions: found?.functions ?? [],
      evidence: found?.evidence ?? [],
      missing,
    };
  } catch (error) {
    if (error instanceof SetupError) throw error;
    throw new SetupError(`${file} cannot be read: ${(error as Error).message}`, 'Check the path and its permissions.');
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function renderReport({ path, build_id, families, functions, evidence, missing }: Report): string {
  const lines = [
    printable(path),
    `  build id   ${build_id ?? 'none'}`,
    `  found by   ${families.join(', ') || 'nothing: its TLS cannot be read'}`,
    ...functions.map(({ name, file_offset }) => `  ${name.padEnd(14)}  at file offset 0x${file_offset.toString(16)}`),
    ...evidence.map((one) => `  ${one}`),
    ...missing.map((one) => `  not ${one.family}: ${one.missing}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
