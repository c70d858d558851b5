import { codeSections, type Elf, readCode } from '../elf.ts';
import { findBranches } from './code-scan.ts';
import { isFunctionEntry } from './function-entry.ts';
import { findStart, type IsCalled, type RaisingFunction, readFunction } from './raising-function.ts';

const NULL_SSL_CTX = 185;
/** mov rbx, rdi: the connection object, kept. */
const KEEP_THIS = Buffer.from('4889fb', 'hex');
/** mov rax, [rbx]; test rax, rax; je; mov rdi, rbx; call [rax + 16]: `if (method != nullptr) method->ssl_free(this)`. */
const CALL_SSL_FREE = Buffer.from('488b034885c074064889dfff5010', 'hex');
/** Around SSL_write: the code compiled from the same file. */
const NEIGHBOURHOOD_BYTES = 64 * 1024;

export interface FoundDestructor {
  readonly start: number;
  readonly evidence: string;
}

/**
 * What SSL_free does when it does anything: the destructor of the connection object (ssl_st), which takes the same argument.
 * SSL_new, alone in raising NULL_SSL_CTX, calls it where it fails, unless either was inlined. Undefined where it cannot be told.
 */
export function findDestructor(
  elf: Elf,
  raising: readonly RaisingFunction[],
  write: RaisingFunction,
  isCalled: IsCalled,
): FoundDestructor | undefined {
  const byMaker = findByMaker(elf, raising, isCalled);
  if (byMaker !== undefined)
    return { start: byMaker, evidence: 'the only callee of SSL_new that calls method->ssl_free' };
  const byCall = findByCall(elf, write.start, isCalled);
  return byCall === undefined
    ? undefined
    : { start: byCall, evidence: 'the only function near SSL_write that calls method->ssl_free' };
}

function findByMaker(elf: Elf, raising: readonly RaisingFunction[], isCalled: IsCalled): number | undefined {
  const makers = raising.filter(({ reasons }) => reasons.length === 1 && reasons[0] === NULL_SSL_CTX);
  const [maker] = makers;
  if (makers.length !== 1 || maker === undefined) return undefined;
  const callees = new Set(findBranches(maker.code, maker.start).map(({ target }) => target));
  const found = [...callees].filter((start) => isCalled(start) && isDestructor(elf, isCalled, start));
  const [start] = found;
  return found.length === 1 && start !== undefined && isFunctionEntry(elf, start) ? start : undefined;
}

function findByCall(elf: Elf, near: number, isCalled: IsCalled): number | undefined {
  const section = codeSections(elf).find(({ address, bytes }) => near >= address && near < address + bytes);
  const base = Math.max(section?.address ?? 0, near - NEIGHBOURHOOD_BYTES);
  const code = readCode(elf, base, 2 * NEIGHBOURHOOD_BYTES);
  const at = code.indexOf(CALL_SSL_FREE);
  if (at < 0 || code.includes(CALL_SSL_FREE, at + 1)) return undefined;
  const start = findStart(isCalled, base + at);
  const isOne = start !== undefined && isFunctionEntry(elf, start) && isDestructor(elf, isCalled, start);
  return isOne ? start : undefined;
}

function isDestructor(elf: Elf, isCalled: IsCalled, start: number): boolean {
  const code = readFunction(elf, isCalled, start);
  const keeps = code.indexOf(KEEP_THIS);
  return keeps >= 0 && keeps < code.indexOf(CALL_SSL_FREE);
}
