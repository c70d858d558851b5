import { codeSections, type Elf, readCode } from '../elf.ts';
import { findBranches } from './code-scan.ts';
import { isFunctionEntry } from './function-entry.ts';
import { type Boundaries, type RaisingFunction, readFunction, startOf } from './raising-function.ts';

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
  boundaries: Boundaries,
): FoundDestructor | undefined {
  const byMaker = findByMaker(elf, raising, boundaries);
  if (byMaker !== undefined)
    return { start: byMaker, evidence: 'the only callee of SSL_new that calls method->ssl_free' };
  const byCall = findByCall(elf, write.start, boundaries);
  return byCall === undefined
    ? undefined
    : { start: byCall, evidence: 'the only function near SSL_write that calls method->ssl_free' };
}

function findByMaker(elf: Elf, raising: readonly RaisingFunction[], boundaries: Boundaries): number | undefined {
  const makers = raising.filter(({ reasons }) => reasons.length === 1 && reasons[0] === NULL_SSL_CTX);
  const [maker] = makers;
  if (makers.length !== 1 || maker === undefined) return undefined;
  const callees = new Set(findBranches(maker.code, maker.start).map(({ target }) => target));
  const found = [...callees].filter((start) => boundaries.isCalled(start) && isDestructor(elf, boundaries, start));
  const [start] = found;
  return found.length === 1 && start !== undefined && isFunctionEntry(elf, start) ? start : undefined;
}

function findByCall(elf: Elf, near: number, boundaries: Boundaries): number | undefined {
  const section = codeSections(elf).find(({ address, bytes }) => near >= address && near < address + bytes);
  const base = Math.max(section?.address ?? 0, near - NEIGHBOURHOOD_BYTES);
  const code = readCode(elf, base, 2 * NEIGHBOURHOOD_BYTES);
  const at = code.indexOf(CALL_SSL_FREE);
  if (at < 0 || code.includes(CALL_SSL_FREE, at + 1)) return undefined;
  const start = startOf(boundaries, base + at);
  const isOne =
    start !== undefined &&
    boundaries.isCalled(start) &&
    isFunctionEntry(elf, start) &&
    isDestructor(elf, boundaries, start);
  return isOne ? start : undefined;
}

function isDestructor(elf: Elf, boundaries: Boundaries, start: number): boolean {
  const code = readFunction(elf, boundaries, start);
  const keeps = code.indexOf(KEEP_THIS);
  return keeps >= 0 && keeps < code.indexOf(CALL_SSL_FREE);
}
