/**
 * Go's own TLS (crypto/tls), with symbols or without. Goroutines' stacks move, which a uretprobe does not survive: calls are
 * seen to end at the function's own return instructions. They begin after the check for room on the stack, which happens again
 * when there was none; the arguments are still in place there (Go's src/cmd/compile/abi-internal.md), and since Go 1.21 a push
 * follows, which the kernel emulates and need not step.
 */
import type { TlsFunction, TlsFunctionName } from '../../model/tls-library.ts';
import { type Elf, readCode } from '../elf.ts';
import { findFunctions } from '../elf-symbols.ts';
import { offsetOf } from './function-entry.ts';
import { readGoVersion } from './go-build-info.ts';
import { type GoFunction, readGoFunctionTable, stackCheckBytes } from './go-function-table.ts';
import type { TlsFamily } from './tls-family.ts';
import { readInstruction, type X86Instruction } from './x86-instruction.ts';

const MACHINE_X86_64 = 62;
/** Before, arguments were passed on the stack. */
const MIN_MINOR = 17;
const SOURCE_FILE = 'crypto/tls/conn.go';
const FUNCTIONS = {
  'crypto/tls.(*Conn).Read': 'go_conn_read',
  'crypto/tls.(*Conn).Write': 'go_conn_write',
  'crypto/tls.(*Conn).Close': 'go_conn_close',
} as const satisfies Record<string, TlsFunctionName>;
type GoName = keyof typeof FUNCTIONS;
const NAMES = Object.keys(FUNCTIONS) as readonly GoName[];

export const OPCODE_RET = 0xc3;
const OPCODE_RET_POPPING = 0xc2;
const OPCODE_JBE_SHORT = 0x76;
const OPCODE_JBE = 0x0f86;
const MAX_RETURNS = 64;

export const goTls: TlsFamily = {
  name: 'go',
  readsCode: false,
  locate(elf) {
    const version = readGoVersion(elf);
    if (version === undefined) return { missing: 'no Go build information with a version' };
    if (elf.machine !== MACHINE_X86_64) return { missing: `${version.text}: not x86-64 code, and no other is read` };
    if (version.minor < MIN_MINOR)
      return { missing: `${version.text}: before go1.${MIN_MINOR}, which passes arguments otherwise` };
    const table = readGoFunctionTable(elf);
    if (table === undefined) return { missing: `${version.text}: no function table (pclntab) that fits the code` };
    if (table.layout !== layoutOf(version.minor)) {
      return { missing: `${version.text}: its function table is that of go1.${table.layout}` };
    }
    const symbols = findFunctions(elf, NAMES);
    const functions: TlsFunction[] = [];
    const evidence: string[] = [`${version.text}; function table of go1.${table.layout} with ${table.count} functions`];
    for (const name of NAMES) {
      const [found, ...others] = table.named(name);
      const isClose = FUNCTIONS[name] === 'go_conn_close';
      if (found === undefined && isClose) {
        evidence.push(`${name}: not there; that a connection is over shows in its socket alone`);
        continue;
      }
      if (found === undefined) return { missing: `${version.text}: no function ${name}` };
      const points = others.length === 0 ? readPoints(elf, found) : { refused: 'the name is there more than once' };
      if ('refused' in points) return { missing: `${version.text}: ${name}: ${points.refused}` };
      const symbol = symbols.get(name);
      if (symbol !== undefined && symbol !== offsetOf(elf, found.address)) {
        return { missing: `${version.text}: ${name}: symbols and function table disagree` };
      }
      const { probe_skip_bytes, returns } = points;
      functions.push({
        name: FUNCTIONS[name],
        file_offset: offsetOf(elf, found.address),
        probe_skip_bytes,
        return_offsets: isClose ? [] : returns,
      });
      evidence.push(
        `${name}: by the function table${symbol === undefined ? '' : ' and its symbol'}; from ${found.source_file}; checks ` +
          `the stack of the goroutine in R14; ${found.bytes} bytes of code, whole, with ${returns.length} returns`,
      );
    }
    return { functions, evidence };
  },
};

/** The Go 1.N since which tables are laid out as those of this one. */
const layoutOf = (minor: number): number => (minor >= 20 ? 20 : minor >= 18 ? 18 : 16);

interface Points {
  /** From the beginning to where there is room on the stack. */
  readonly probe_skip_bytes: number;
  readonly returns: readonly bigint[];
}

/** Where probes go. Every instruction must be known, every jump lead to one, and the table of frames agree at each place. */
function readPoints(elf: Elf, found: GoFunction): Points | { readonly refused: string } {
  const { address, bytes, source_file } = found;
  if (source_file !== SOURCE_FILE && !source_file?.endsWith(`/${SOURCE_FILE}`)) {
    return { refused: `comes from ${source_file ?? 'an unknown file'}, not from ${SOURCE_FILE}` };
  }
  const code = readCode(elf, address, bytes);
  const checkBytes = stackCheckBytes(code);
  if (code.length < bytes || checkBytes === 0)
    return { refused: 'does not begin with a check of the stack of the goroutine in R14' };
  const instructions = readInstructions(code);
  if (instructions === undefined)
    return { refused: 'holds an instruction that is not known, or a jump into the middle of one' };
  const jump = instructions.get(checkBytes);
  if (jump?.opcode !== OPCODE_JBE && jump?.opcode !== OPCODE_JBE_SHORT) {
    return { refused: 'no jump follows the check of the stack' };
  }
  const probe_skip_bytes = checkBytes + jump.bytes;
  const returns = [...instructions].filter(([, one]) => one.opcode === OPCODE_RET).map(([at]) => at);
  if (returns.length === 0 || returns.length > MAX_RETURNS) return { refused: `has ${returns.length} returns` };
  for (const at of [probe_skip_bytes, ...returns]) {
    if (found.frameBytesAt(at) !== 0) return { refused: `has a frame at ${at} bytes, where there can be none` };
  }
  return { probe_skip_bytes, returns: returns.map((at) => offsetOf(elf, address + at)) };
}

/** By offset. Undefined where something is not known, or a jump leads into the middle of it. */
export function readInstructions(code: Buffer): ReadonlyMap<number, X86Instruction> | undefined {
  const instructions = new Map<number, X86Instruction>();
  for (let at = 0; at < code.length; ) {
    const one = readInstruction(code, at);
    if (one === undefined || one.opcode === OPCODE_RET_POPPING) return undefined;
    if (one.opcode === OPCODE_RET && one.bytes !== 1) return undefined;
    instructions.set(at, one);
    at += one.bytes;
  }
  const fits = [...instructions.values()].every(
    ({ jump }) => jump === undefined || jump < 0 || jump >= code.length || instructions.has(jump),
  );
  return fits ? instructions : undefined;
}
