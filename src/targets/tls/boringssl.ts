/**
 * BoringSSL linked into an executable without symbols (Bun programs). Where it raises an error it loads a reason, its source
 * file and the line (OPENSSL_PUT_ERROR). The set of reasons names a function, whatever the compiler made of it, and the lines
 * tell which comes first in the source (ssl/ssl_lib.cc, include/openssl/ssl.h):
 *
 *     SSL_do_handshake  CONNECTION_TYPE_NOT_SET
 *     ssl_read_impl     UNINITIALIZED, SSL_HANDSHAKE_FAILURE; calls SSL_do_handshake
 *     SSL_read          SHOULD_NOT_HAVE_BEEN_CALLED; calls ssl_read_impl
 *     SSL_peek          the same; SSL_read may call it, or have it inlined
 *     SSL_write         all three and BAD_LENGTH; calls SSL_do_handshake
 *     SSL_new           NULL_SSL_CTX
 */
import type { Elf } from '../elf.ts';
import { findDestructor } from './boringssl-free.ts';
import { findBranches, scanCallTargets, scanReferences } from './code-scan.ts';
import { findStringsEnding } from './constant-strings.ts';
import { findBytes } from './find-bytes.ts';
import { isFunctionEntry, offsetOf, readEntry } from './function-entry.ts';
import { type FunctionTable, readFunctionTable } from './function-table.ts';
import { findRaising, type RaisingFunction } from './raising-function.ts';
import type { TlsFamily } from './tls-family.ts';

const SOURCE_FILE = 'ssl/ssl_lib.cc';
const MACHINE_X86_64 = 62;
const SHOULD_NOT_HAVE_BEEN_CALLED = 66;
const BAD_LENGTH = 111;
const CONNECTION_TYPE_NOT_SET = 134;
const SSL_HANDSHAKE_FAILURE = 215;
const UNINITIALIZED = 226;
/** push rbp; mov rbp, rsp; push r15, r14, rbx, rax; cmp qword [rdi + 0x98], 0; je: SSL_read in Bun 1.1.45 to 1.4. */
const READ_BEGINNING = Buffer.from('554889e54157415653504883bf980000000074', 'hex');
/** The functions stand within so many lines. */
const MAX_LINES = 400;

export const boringssl: TlsFamily = {
  name: 'boringssl',
  readsCode: true,
  locate(elf) {
    if (elf.machine !== MACHINE_X86_64) return { missing: 'not x86-64 code, and no other is searched' };
    const files = findStringsEnding(elf, [SOURCE_FILE]);
    if (files.size === 0) return { missing: `no string "${SOURCE_FILE}"` };
    const references = scanReferences(elf, new Set(files.keys()));
    const isCalled = scanCallTargets(elf);
    const boundaries = { isCalled, table: readFunctionTable(elf) };
    const raising = findRaising(elf, references, boundaries);
    const write = findWrite(elf, raising);
    const read = write && findRead(elf, raising, write, boundaries.table);
    if (write === undefined || read === undefined || !isFunctionEntry(elf, write.start)) {
      const what = write === undefined ? 'SSL_write' : 'SSL_read';
      return { missing: `${references.length} references to "${SOURCE_FILE}", none that settles ${what}` };
    }
    if (!isCalled(read.start) || !isFunctionEntry(elf, read.start)) {
      return { missing: 'SSL_read would lie where no function begins' };
    }
    const free = findDestructor(elf, raising, write, boundaries);
    return {
      functions: [
        { name: 'SSL_read', file_offset: offsetOf(elf, read.start) },
        { name: 'SSL_write', file_offset: offsetOf(elf, write.start) },
        ...(free === undefined ? [] : [{ name: 'SSL_free', file_offset: offsetOf(elf, free.start) } as const]),
      ],
      evidence: [
        `SSL_read: ${read.evidence}; calls lead there; begins ${readEntry(elf, read.start)}`,
        `SSL_write: alone raises the errors ${write.reasons} of "${SOURCE_FILE}" (lines ${write.firstLine}-${write.lastLine}), and ` +
          `calls SSL_do_handshake; calls lead there; begins ${readEntry(elf, write.start)}`,
        free === undefined
          ? 'SSL_free: not found; that a connection is over shows in its socket alone'
          : `SSL_free: by the destructor that it runs, ${free.evidence}; calls lead there; begins ${readEntry(elf, free.start)}`,
      ],
    };
  },
};

function findWrite(elf: Elf, raising: readonly RaisingFunction[]): RaisingFunction | undefined {
  const reasons = [SHOULD_NOT_HAVE_BEEN_CALLED, BAD_LENGTH, SSL_HANDSHAKE_FAILURE, UNINITIALIZED];
  // Older versions inline more here, with further errors.
  const found = raising.filter((one) => reasons.every((reason) => one.reasons.includes(reason)));
  return only(found.filter((one) => callsHandshake(elf, one, raising)));
}

interface FoundRead {
  readonly start: number;
  readonly evidence: string;
}

/** By what it raises and calls, and by its first bytes. Both must lead to one place, or one of them to one and the other to none. */
function findRead(
  elf: Elf,
  raising: readonly RaisingFunction[],
  write: RaisingFunction,
  table: FunctionTable | undefined,
): FoundRead | undefined {
  const byReasons = findReadByReasons(elf, raising, write, table);
  const byBytes = findBytes(elf, READ_BEGINNING, 2);
  const [bytesStart] = byBytes;
  if (byReasons !== undefined) {
    const { start, firstLine } = byReasons;
    const evidence = `raises the error ${SHOULD_NOT_HAVE_BEEN_CALLED} of "${SOURCE_FILE}" (line ${firstLine}) and calls ssl_read_impl, known by its errors`;
    if (byBytes.length === 1 && bytesStart === start)
      return { start, evidence: `${evidence}; alone begins as SSL_read does in Bun` };
    return byBytes.length === 0
      ? { start, evidence: `${evidence}; does not begin as SSL_read does in Bun` }
      : undefined;
  }
  if (byBytes.length !== 1 || bytesStart === undefined) return undefined;
  return { start: bytesStart, evidence: 'alone begins as SSL_read does in Bun; not confirmed by the errors it raises' };
}

function findReadByReasons(
  elf: Elf,
  raising: readonly RaisingFunction[],
  write: RaisingFunction,
  table: FunctionTable | undefined,
): RaisingFunction | undefined {
  // More is inlined here than elsewhere, so it may raise further errors.
  const implementations = raising.filter(
    ({ reasons }) =>
      [UNINITIALIZED, SSL_HANDSHAKE_FAILURE].every((reason) => reasons.includes(reason)) &&
      ![SHOULD_NOT_HAVE_BEEN_CALLED, BAD_LENGTH].some((reason) => reasons.includes(reason)),
  );
  const implementation = only(implementations.filter((one) => callsHandshake(elf, one, raising)));
  if (implementation === undefined) return undefined;
  const callers = raising.filter(
    (one) =>
      raises(one, [SHOULD_NOT_HAVE_BEEN_CALLED]) &&
      calls(elf, one, implementation) &&
      one.firstLine > implementation.firstLine &&
      one.firstLine < write.firstLine &&
      write.firstLine - implementation.firstLine < MAX_LINES,
  );
  // SSL_peek, where it was not left out, follows SSL_read.
  const first = Math.min(...callers.map(({ firstLine }) => firstLine));
  const candidates = callers.length <= 2 ? callers.filter(({ firstLine }) => firstLine === first) : [];
  // Where SSL_peek is inlined in SSL_read, both raise the one error: SSL_read then does all that SSL_peek does, and takes the data away.
  return only(candidates) ?? only(candidates.filter((one) => candidates.some((other) => doesMore(one, other, table))));
}

const raises = ({ reasons }: RaisingFunction, wanted: readonly number[]): boolean =>
  reasons.length === wanted.length && wanted.every((reason) => reasons.includes(reason));

function calls({ budget }: Elf, { code, start }: RaisingFunction, callee: RaisingFunction): boolean {
  budget.checkTime();
  return findBranches(code, start).some(({ target }) => target === callee.start);
}

/** Whether it calls all that the other calls, and something besides; calls are told from other bytes by the unwind tables. */
function doesMore(one: RaisingFunction, other: RaisingFunction, table: FunctionTable | undefined): boolean {
  const calleesOf = ({ code, start }: RaisingFunction) => {
    const targets = findBranches(code, start).map(({ target }) => target);
    return new Set(targets.filter((target) => target !== start && table?.containing(target)?.start === target));
  };
  const [ours, theirs] = [calleesOf(one), calleesOf(other)];
  return ours.size > theirs.size && theirs.size > 0 && [...theirs].every((target) => ours.has(target));
}

const callsHandshake = (elf: Elf, one: RaisingFunction, raising: readonly RaisingFunction[]): boolean =>
  raising.some((callee) => raises(callee, [CONNECTION_TYPE_NOT_SET]) && calls(elf, one, callee));

const only = <T>(found: readonly T[]): T | undefined => (found.length === 1 ? found[0] : undefined);
