import { codeSections, type Elf } from '../elf.ts';
import type { RelocatedData } from './relocated-data.ts';

const MAX_ALIGN_BYTES = 64;
const MAX_SIZE_BYTES = 64 * 1024;
const MAX_CODE_SECTIONS = 16;
/** Real programs have up to 20,000. */
const MAX_VTABLES = 256 * 1024;
const LOOKS_AT_CLOCK_EVERY_WORDS = 65536;

/**
 * What Rust calls the methods of a trait object by: how to drop the value (0 where nothing is to be done), its size and
 * alignment, then the methods. The layout is not promised, but has been this since Rust 1.0 (rustc_middle, ty/vtable.rs).
 */
export interface Vtable {
  readonly address: number;
  readonly drop: number;
  readonly size_bytes: number;
  readonly align_bytes: number;
  /** Addresses of code, at most as many as were asked for. What follows the table may be taken for a method. */
  readonly methods: readonly number[];
}

/** What looks like a vtable of at least one method, by address; up to `maxMethods` methods of each. */
export function* findVtables(elf: Elf, data: readonly RelocatedData[], maxMethods: number): Generator<Vtable> {
  const sections = codeSections(elf).slice(0, MAX_CODE_SECTIONS);
  const code = sections.map(({ address, bytes }) => ({ start: address, end: address + bytes }));
  const isCode = (value: number) => code.some(({ start, end }) => value >= start && value < end);
  let count = 0;
  for (const { address, words } of data) {
    const wordAt = (index: number) => (words[2 * index] ?? 0) + (words[2 * index + 1] ?? 0) * 2 ** 32;
    for (let at = 2; 2 * at + 3 < words.length; at++) {
      if (at % LOOKS_AT_CLOCK_EVERY_WORDS === 0) elf.budget.checkTime();
      const align = words[2 * at] as number;
      if (words[2 * at + 1] !== 0 || align === 0 || align > MAX_ALIGN_BYTES || (align & (align - 1)) !== 0) continue;
      const size = wordAt(at - 1);
      if (size > MAX_SIZE_BYTES || size % align !== 0 || !isCode(wordAt(at + 1))) continue;
      const drop = wordAt(at - 2);
      if (drop !== 0 && !isCode(drop)) continue;
      const methods: number[] = [];
      while (methods.length < maxMethods && isCode(wordAt(at + 1 + methods.length))) {
        methods.push(wordAt(at + 1 + methods.length));
      }
      count += 1;
      if (count > MAX_VTABLES) return;
      yield { address: address + 8 * (at - 2), drop, size_bytes: size, align_bytes: align, methods };
    }
  }
}
