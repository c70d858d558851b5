import fs from 'node:fs';
import type { Command } from 'commander';
import { printable } from '../export/console/printable-text.ts';
import { SetupError } from '../model/setup-error.ts';
import type { TlsFunction } from '../model/tls-library.ts';
import { addConfigOptions, type ConfigFlags, readConfig } from './config-options.ts';
import { EXIT_FAILURE } from './exit-code.ts';
import { toJson } from './json.ts';
import type { Terminal } from './terminal.ts';

const EXAMPLES = `
Examples:
  undersight targets inspect "$(command -v claude)"
  undersight targets inspect /usr/lib/x86_64-linux-gnu/libssl.so.3
  undersight targets inspect --entry ./agent
  undersight targets inspect --json ./agent | jq -r '.functions[] | "\\(.name) \\(.file_offset)"'

Exit code: 0 when TLS functions were found, 1 when there are none.
`;
/** Of instructions, enough to know a function by. */
const ENTRY_BYTES = 16;

export function addTargetsInspect(targets: Command, terminal: Terminal): void {
  addConfigOptions(targets.command('inspect'))
    .description('say which TLS functions a program or library holds, and what they were known by')
    .argument('<binary>', 'path of an executable or shared library')
    .option('--json', 'print JSON')
    .option('--entry', 'print an entry for a list of known builds (receivers.undersight.targets.known_builds)')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, flags: ConfigFlags & { json?: boolean; entry?: boolean }) => {
      const report = await inspect(file, readConfig(flags, terminal).receiver.targets.known_builds);
      if (flags.entry) terminal.out(await renderEntry(report));
      else terminal.out(flags.json ? toJson(report) : renderReport(report));
      if (report.families.length === 0) process.exitCode = EXIT_FAILURE;
    });
}

interface Report {
  readonly path: string;
  readonly build_id: string | null;
  /** None: nothing was found. */
  readonly families: readonly string[];
  readonly functions: readonly TlsFunction[];
  readonly evidence: readonly string[];
  /** Why it is not probed all the same: what its functions did when they were. */
  readonly refused: string | null;
  /** What was tried in vain, and what it lacked. */
  readonly missing: readonly { readonly family: string; readonly missing: string }[];
}

/** As `watch` with these lists of known builds would see it. Reads the file anew: no place that was remembered is used. The other commands must not need what does it. */
async function inspect(file: string, lists: readonly string[]): Promise<Report> {
  const { readBuildId, readElf } = await import('../targets/elf.ts');
  const { loadKnownBuilds } = await import('../targets/tls/known-builds.ts');
  loadKnownBuilds(lists);
  const { refusalOf } = await import('../targets/locate-tls.ts');
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
      refused: refusalOf(file, found?.functions ?? []) ?? null,
      missing,
    };
  } catch (error) {
    if (error instanceof SetupError) throw error;
    throw new SetupError(`${file} cannot be read: ${(error as Error).message}`, 'Check the path and its permissions.');
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

const hex = (offset: bigint): string => `0x${offset.toString(16)}`;

/** YAML that is also JSON; where nothing was found, with the functions left to be filled in. */
async function renderEntry({ path, build_id, functions }: Report): Promise<string> {
  const { readAt } = await import('../targets/elf.ts');
  const { sha256Of } = await import('../targets/tls/known-build.ts');
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const { size } = fs.fstatSync(fd);
    const identity = build_id === null ? { sha256: sha256Of(fd, size), file_bytes: size } : { build_id };
    const entries = functions.map(({ name, file_offset, probe_skip_bytes, return_offsets }) => ({
      name,
      file_offset: hex(file_offset),
      begins: readAt(fd, Number(file_offset), ENTRY_BYTES).toString('hex'),
      ...(return_offsets !== undefined && { probe_skip_bytes, return_offsets: return_offsets.map(hex) }),
    }));
    return `- ${JSON.stringify({ comment: printable(path), ...identity, functions: entries })}\n`;
  } finally {
    fs.closeSync(fd);
  }
}

function renderReport({ path, build_id, families, functions, evidence, refused, missing }: Report): string {
  const lines = [
    printable(path),
    `  build id   ${build_id ?? 'none'}`,
    `  found by   ${families.join(', ') || 'nothing: its TLS cannot be read'}`,
    ...functions.map(({ name, file_offset }) => `  ${name.padEnd(14)}  at file offset 0x${file_offset.toString(16)}`),
    ...evidence.map((one) => `  ${one}`),
    ...(refused === null ? [] : [`  not probed: ${refused}`]),
    ...missing.map((one) => `  not ${one.family}: ${one.missing}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
