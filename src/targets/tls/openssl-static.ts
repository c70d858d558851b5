/**
 * OpenSSL 3 linked into an executable without symbols. Its error reports keep file and function as strings (ERR_raise:
 * `lea __func__; mov line; lea "ssl/ssl_lib.c"; call ERR_set_debug`), and stripping leaves the unwind tables, which bound
 * functions. SSL_read calls ssl_read_internal and so does SSL_read_ex, which reports no errors. SSL_free and SSL_CTX_free both
 * lower a reference count, and the one calls the other (openssl 3.0-3.6, ssl/ssl_lib.c).
 */
import { codeSections, type Elf, readCode } from '../elf.ts';
import { findBranches, scanReferences } from './code-scan.ts';
import { findStrings, findStringsEnding } from './constant-strings.ts';
import { isFunctionEntry, offsetOf, readEntry } from './function-entry.ts';
import { type FunctionTable, readFunctionTable } from './function-table.ts';
import { groupByFunction, type NamedFunction, onlyNamed } from './named-function.ts';
import { isDear, lengthArgument } from './openssl-inner.ts';
import type { TlsFamily, TlsLocation } from './tls-family.ts';

const SOURCE_FILE = 'ssl/ssl_lib.c';
const NAMES = ['SSL_read', 'SSL_write', 'ssl_read_internal', 'ssl_write_internal'] as const;
/** Around the inner functions: the code compiled from the same file. */
const NEIGHBOURHOOD_BYTES = 64 * 1024;
const MAX_FUNCTION_BYTES = 16 * 1024;
const MAX_THIN_BYTES = 64;
const MACHINE_X86_64 = 62;

type Direction = 'read' | 'write';

export const opensslStatic: TlsFamily = {
  name: 'openssl-static',
  readsCode: true,
  locate(elf) {
    if (elf.machine !== MACHINE_X86_64) return { missing: 'not x86-64 code, and no other is searched' };
    const files = findStringsEnding(elf, [SOURCE_FILE]);
    if (files.size === 0) return { missing: `no string "${SOURCE_FILE}"` };
    const table = readFunctionTable(elf);
    if (table === undefined) return { missing: 'no usable .eh_frame_hdr to bound functions with' };
    const strings = new Map<number, string>([...files, ...findStrings(elf, NAMES)]);
    const references = scanReferences(elf, new Set(strings.keys()));
    const named = groupByFunction(references, table, strings);
    const found = [locateDirection(elf, table, named, 'read'), locateDirection(elf, table, named, 'write')];
    const [read, write] = found;
    if (read === undefined || write === undefined) {
      const what = [read ?? 'SSL_read', write ?? 'SSL_write'].filter((one) => typeof one === 'string').join(' and ');
      return {
        missing: `${references.length} references to "${SOURCE_FILE}" and function names, none that settles ${what}`,
      };
    }
    const free = locateFree(elf, named);
    return {
      functions: [...read.functions, ...write.functions, ...(free?.functions ?? [])],
      evidence: [...read.evidence, ...write.evidence, ...(free?.evidence ?? [])],
    };
  },
};

function locateDirection(
  elf: Elf,
  table: FunctionTable,
  named: Map<number, NamedFunction>,
  direction: Direction,
): TlsLocation | undefined {
  const [name, innerName] = [`SSL_${direction}`, `ssl_${direction}_internal`] as const;
  const inner = onlyNamed(named, [innerName, SOURCE_FILE]);
  const outer = onlyNamed(named, [name, SOURCE_FILE]);
  if (outer === undefined || inner === undefined) return locateInlined(elf, named, direction);
  const code = readCode(elf, outer.start, Math.min(outer.end - outer.start, MAX_FUNCTION_BYTES));
  const call = findBranches(code, outer.start).find(({ target }) => target === inner.start);
  if (call === undefined || !isFunctionEntry(elf, outer.start)) return undefined;
  const functions: TlsLocation['functions'][number][] = [{ name, file_offset: offsetOf(elf, outer.start) }];
  const evidence = [
    `${name}: alone reports errors as "${name}" of "${SOURCE_FILE}", and calls the one that does as "${innerName}"; ` +
      `.eh_frame_hdr has a function there; begins ${readEntry(elf, outer.start)}`,
  ];
  const cheaper = locateInner(elf, inner, innerName, lengthArgument(code.subarray(0, call.at)));
  if (cheaper !== undefined && isDear(elf, outer.start)) return cheaper;
  const passesFlags = hasBytes(code.subarray(0, call.at), XOR_ECX);
  const thin = locateThin(elf, table, named, inner, passesFlags);
  if (thin !== undefined) {
    functions.push({ name: `SSL_${direction}_ex`, file_offset: offsetOf(elf, thin) });
    evidence.push(
      `SSL_${direction}_ex: alone leads to ssl_${direction}_internal without reporting errors${passesFlags ? ', with flags 0' : ''}; ` +
        `.eh_frame_hdr has a function there; begins ${readEntry(elf, thin)}`,
    );
  }
  return { functions, evidence };
}

/** The inner function, which all others lead to: to be probed in their place where a probe there costs less. */
function locateInner(
  elf: Elf,
  { start }: NamedFunction,
  innerName: 'ssl_read_internal' | 'ssl_write_internal',
  form: ReturnType<typeof lengthArgument>,
): TlsLocation | undefined {
  if (form === undefined || (form === 'fifth' && innerName === 'ssl_read_internal')) return undefined;
  if (!isFunctionEntry(elf, start) || isDear(elf, start)) return undefined;
  const name = form === 'fifth' ? 'ssl_write_internal_flags' : innerName;
  return {
    functions: [{ name, file_offset: offsetOf(elf, start) }],
    evidence: [
      `${name}: alone reports errors as "${innerName}" of "${SOURCE_FILE}"; costs less to probe than those that call it; ` +
        `.eh_frame_hdr has a function there; begins ${readEntry(elf, start)}`,
    ],
  };
}

/** Where the inner function was inlined, SSL_read reports errors under both names. The `_ex` functions cannot be told apart then. */
function locateInlined(elf: Elf, named: Map<number, NamedFunction>, direction: Direction): TlsLocation | undefined {
  const [name, innerName] = [`SSL_${direction}`, `ssl_${direction}_internal`] as const;
  const outer = onlyNamed(named, [name, innerName, SOURCE_FILE]);
  if (outer === undefined || !isFunctionEntry(elf, outer.start)) return undefined;
  return {
    functions: [{ name, file_offset: offsetOf(elf, outer.start) }],
    evidence: [
      `${name}: alone reports errors as "${name}" and as "${innerName}", which is inlined, of "${SOURCE_FILE}"; ` +
        `.eh_frame_hdr has a function there; begins ${readEntry(elf, outer.start)}`,
    ],
  };
}

const XOR_ECX = Buffer.from('31c9', 'hex');
const MOV_R8_RCX = Buffer.from('4989c8', 'hex');
const hasBytes = (code: Buffer, bytes: Buffer): boolean => code.includes(bytes);

/**
 * The `_ex` function: short, reports no errors, calls the inner one. Since OpenSSL 3.3 the inner write takes flags, and
 * there is SSL_write_ex2, which passes them on; SSL_write_ex puts 0 in their place, itself or on its way through that.
 */
function locateThin(
  elf: Elf,
  table: FunctionTable,
  named: Map<number, NamedFunction>,
  inner: NamedFunction,
  passesFlags: boolean,
): number | undefined {
  const section = codeSections(elf).find((one) => inner.start >= one.address && inner.start < one.address + one.bytes);
  const start = Math.max(section?.address ?? 0, inner.start - NEIGHBOURHOOD_BYTES);
  const branches = findBranches(readCode(elf, start, 2 * NEIGHBOURHOOD_BYTES), start);
  const leadTo = (targets: ReadonlySet<number>): Set<number> => {
    const found = new Set<number>();
    for (const { at, target } of branches) {
      const caller = targets.has(target) ? table.containing(start + at) : undefined;
      if (caller === undefined || named.has(caller.start) || targets.has(caller.start)) continue;
      if (caller.end - caller.start <= MAX_THIN_BYTES) found.add(caller.start);
    }
    return found;
  };
  const direct = leadTo(new Set([inner.start]));
  const candidates = passesFlags
    ? [...direct, ...leadTo(direct)].filter((address) => {
        const code = readCode(elf, address, MAX_THIN_BYTES / 2);
        return hasBytes(code, MOV_R8_RCX) && hasBytes(code, XOR_ECX);
      })
    : [...direct];
  const [only] = candidates;
  return candidates.length === 1 && only !== undefined && isFunctionEntry(elf, only) ? only : undefined;
}

const MOV_EAX_MINUS_1 = Buffer.from('b8ffffffff', 'hex');
/** lock xadd [rdi + ...], eax, with an offset of 1 or 4 bytes. */
const LOCK_XADD = ['f00fc147', 'f00fc187'].map((hex) => Buffer.from(hex, 'hex'));
const MAX_FREE_BEGINNING_BYTES = 64;

/** Of the functions that free memory of this source file and begin with lowering a count of their argument: the one that calls another. */
function locateFree(elf: Elf, named: Map<number, NamedFunction>): TlsLocation | undefined {
  const lowering = [...named.values()].filter(({ start, strings }) => {
    const code = readCode(elf, start, MAX_FREE_BEGINNING_BYTES);
    const lowers = hasBytes(code, MOV_EAX_MINUS_1) && LOCK_XADD.some((bytes) => hasBytes(code, bytes));
    return lowers && strings.size === 1 && strings.has(SOURCE_FILE);
  });
  if (lowering.length !== 2) return undefined;
  const found = lowering.filter(({ start, end }) => {
    const code = readCode(elf, start, Math.min(end - start, MAX_FUNCTION_BYTES));
    return findBranches(code, start).some(
      ({ target }) => target !== start && lowering.some((one) => one.start === target),
    );
  });
  const [free] = found;
  if (found.length !== 1 || free === undefined || !isFunctionEntry(elf, free.start)) return undefined;
  return {
    functions: [{ name: 'SSL_free', file_offset: offsetOf(elf, free.start) }],
    evidence: [
      `SSL_free: of the two functions of "${SOURCE_FILE}" that lower a reference count, the one that calls the other; ` +
        `.eh_frame_hdr has a function there; begins ${readEntry(elf, free.start)}`,
    ],
  };
}
