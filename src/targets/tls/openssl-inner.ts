/**
 * The inner functions of a shared OpenSSL: SSL_read and SSL_read_ex call ssl_read_internal, SSL_write and its likes
 * ssl_write_internal (openssl 1.1.1-3.6, ssl/ssl_lib.c). Where compilers begin the outer ones with an instruction at which a probe
 * is dear, a probe on the inner one costs a tenth, and stands for all of them.
 */
import type { TlsFunction, TlsFunctionName } from '../../model/tls-library.ts';
import { codeSections, type Elf, readCode } from '../elf.ts';
import { cheapPlace, isCheap } from './cheap-place.ts';
import { findBranches } from './code-scan.ts';
import { isFunctionEntry, offsetOf, readEntry } from './function-entry.ts';
import { type FunctionTable, readFunctionTable } from './function-table.ts';

const MACHINE_X86_64 = 62;
const MAX_FUNCTION_BYTES = 1024;
/** How far before the call its arguments are put in place. */
const ARGUMENTS_BYTES = 24;
/** mov rcx, rsp; lea rcx, [rsp + ...]; lea rcx, [rbp - ...]: where the fourth argument is a local variable. */
const FOURTH_IS_LOCAL = ['4889e1', '488d4c24', '488d4d'].map((hex) => Buffer.from(hex, 'hex'));
/** The same for r8: since OpenSSL 3.3 writing takes flags, then the place of the length. */
const FIFTH_IS_LOCAL = ['4989e0', '4c8d4424', '4c8d45'].map((hex) => Buffer.from(hex, 'hex'));
const FOURTH_IS_ZERO = Buffer.from('31c9', 'hex');

export interface InnerFunction extends TlsFunction {
  readonly evidence: string;
  /** The functions that it stands for. */
  readonly replaces: readonly TlsFunctionName[];
}

interface Sides {
  readonly outer: 'SSL_read' | 'SSL_write';
  readonly others: readonly TlsFunctionName[];
  readonly inner: 'ssl_read_internal' | 'ssl_write_internal';
}

const DIRECTIONS: readonly Sides[] = [
  { outer: 'SSL_read', others: ['SSL_read_ex'], inner: 'ssl_read_internal' },
  { outer: 'SSL_write', others: ['SSL_write_ex2', 'SSL_write_ex'], inner: 'ssl_write_internal' },
];

/** Those worth a probe instead of the outer ones. `addresses` of the outer functions by name. */
export function findInner(elf: Elf, addresses: ReadonlyMap<TlsFunctionName, number>): readonly InnerFunction[] {
  if (elf.machine !== MACHINE_X86_64) return [];
  const dear = DIRECTIONS.filter(({ outer }) => {
    const address = addresses.get(outer);
    return address !== undefined && isDear(elf, address);
  });
  if (dear.length === 0) return [];
  const table = readFunctionTable(elf);
  return table === undefined ? [] : dear.flatMap((sides) => locate(elf, table, addresses, sides) ?? []);
}

/** Whether a probe on this function has to be single-stepped. */
export function isDear(elf: Elf, address: number): boolean {
  const code = readCode(elf, address, MAX_FUNCTION_BYTES);
  return !isCheap(code) && cheapPlace(code) === 0;
}

function locate(
  elf: Elf,
  table: FunctionTable,
  addresses: ReadonlyMap<TlsFunctionName, number>,
  { outer, others, inner }: Sides,
): InnerFunction | undefined {
  const text = codeSections(elf).find(({ name }) => name === '.text');
  const outerAddress = addresses.get(outer);
  // The one that exists: SSL_write_ex leads through SSL_write_ex2 where there is that.
  const other = others.find((name) => addresses.has(name));
  const otherAddress = other && addresses.get(other);
  if (text === undefined || outerAddress === undefined || otherAddress === undefined) return undefined;
  const isOurs = (target: number) => target >= text.address && target < text.address + text.bytes;
  const exported = new Set(addresses.values());
  const callsOf = (address: number) => {
    const bounds = table.containing(address);
    if (bounds === undefined || bounds.start !== address) return undefined;
    const code = readCode(elf, address, Math.min(bounds.end - bounds.start, MAX_FUNCTION_BYTES));
    const leaves = (target: number) => target < bounds.start || target >= bounds.end;
    const branches = findBranches(code, address).filter(
      ({ target }) => isOurs(target) && leaves(target) && !exported.has(target),
    );
    return { code, branches };
  };
  const outerCalls = callsOf(outerAddress);
  const otherCalls = callsOf(otherAddress);
  if (outerCalls === undefined || otherCalls === undefined) return undefined;
  const shared = outerCalls.branches.filter(({ target }) => otherCalls.branches.some((one) => one.target === target));
  const [call] = shared;
  if (call === undefined || shared.length !== 1) return undefined;
  const form = lengthArgument(outerCalls.code.subarray(0, call.at));
  const hasFlags = form === 'fifth';
  if (form === undefined || hasFlags !== (inner === 'ssl_write_internal' && addresses.has('SSL_write_ex2')))
    return undefined;
  const start = call.target;
  const bounds = table.containing(start);
  if (bounds?.start !== start || !isFunctionEntry(elf, start)) return undefined;
  if (isDear(elf, start)) return undefined;
  return {
    name: hasFlags ? 'ssl_write_internal_flags' : inner,
    file_offset: offsetOf(elf, start),
    replaces: [outer, ...others],
    evidence:
      `${inner}: alone is called by both ${outer} and ${other}, which costs less to probe; ` +
      `.eh_frame_hdr has a function there; begins ${readEntry(elf, start)}`,
  };
}

/** Which argument of a call, by the code that leads to it, says where the length goes; undefined where that does not show. */
export function lengthArgument(code: Buffer): 'fourth' | 'fifth' | undefined {
  const before = code.subarray(Math.max(0, code.length - ARGUMENTS_BYTES));
  const has = (all: readonly Buffer[]) => all.some((bytes) => before.includes(bytes));
  const isFifth = has(FIFTH_IS_LOCAL) && before.includes(FOURTH_IS_ZERO);
  if (isFifth === has(FOURTH_IS_LOCAL)) return undefined;
  return isFifth ? 'fifth' : 'fourth';
}
