import type { Elf } from '../elf.ts';
import { findBranches } from './code-scan.ts';
import { isFunctionEntry } from './function-entry.ts';
import { type Boundaries, type RaisingFunction, readFunction } from './raising-function.ts';

const NULL_SSL_CTX = 185;
/** mov rbx, rdi: the connection object, kept. */
const KEEP_THIS = Buffer.from('4889fb', 'hex');
/** mov rax, [rbx]; test rax, rax; je; mov rdi, rbx; call [rax + 16]: `if (method != nullptr) method->ssl_free(this)`. */
const CALL_SSL_FREE = Buffer.from('488b034885c074064889dfff5010', 'hex');

/**
 * What SSL_free does when it does anything: the destructor of the connection object (ssl_st), which takes the same argument.
 * SSL_new, alone in raising NULL_SSL_CTX, calls it where it fails. Undefined where it cannot be told.
 */
export function findDestructor(
  elf: Elf,
  raising: readonly RaisingFunction[],
  boundaries: Boundaries,
): number | undefined {
  const makers = raising.filter(({ reasons }) => reasons.length === 1 && reasons[0] === NULL_SSL_CTX);
  const [maker] = makers;
  if (makers.length !== 1 || maker === undefined) return undefined;
  const callees = new Set(findBranches(maker.code, maker.start).map(({ target }) => target));
  const found = [...callees].filter((start) => {
    if (!boundaries.isCalled(start)) return false;
    const code = readFunction(elf, boundaries, start);
    const keeps = code.indexOf(KEEP_THIS);
    return keeps >= 0 && keeps < code.indexOf(CALL_SSL_FREE);
  });
  const [start] = found;
  return found.length === 1 && start !== undefined && isFunctionEntry(elf, start) ? start : undefined;
}
