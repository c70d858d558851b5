import { latin1 } from './line-reader.ts';

/** The symbols that have a code of so many bits (RFC 7541 appendix B); within a length, codes rise with the symbols. */
const SYMBOLS_BY_CODE_BITS: Readonly<Record<number, string>> = {
  5: '48-50 97 99 101 105 111 115-116',
  6: '32 37 45-47 51-57 61 65 95 98 100 102-104 108-110 112 114 117',
  7: '58 66-87 89 106-107 113 118-122',
  8: '38 42 44 59 88 90',
  10: '33-34 40-41 63',
  11: '39 43 124',
  12: '35 62',
  13: '0 36 64 91 93 126',
  14: '94 125',
  15: '60 96 123',
  19: '92 195 208',
  20: '128 130-131 162 184 194 224 226',
  21: '153 161 167 172 176-177 179 209 216-217 227 229-230',
  22: '129 132-134 136 146 154 156 160 163-164 169-170 173 178 181 185-187 189-190 196 198 228 232-233',
  23: '1 135 137-141 143 147 149-152 155 157-158 165-166 168 174-175 180 182-183 188 191 197 231 239',
  24: '9 142 144-145 148 159 171 206 215 225 236-237',
  25: '199 207 234-235',
  26: '192-193 200-202 205 210 213 218-219 238 240 242-243 255',
  27: '203-204 211-212 214 221-223 241 244-248 250-254',
  28: '2-8 11-12 14-21 23-31 127 220 249',
  30: '10 13 22 256',
};
const END_OF_STRING = 256;
const MAX_CODE_BITS = 30;
const MAX_PADDING_BITS = 7;
const SHORTEST_CODE_BITS = 5;

/** Codes of a length follow one another: the first of them, and what they stand for. */
interface CodeLength {
  readonly first_code: number;
  readonly symbols: readonly number[];
}

const CODE_LENGTHS: readonly CodeLength[] = codeLengths();

function codeLengths(): CodeLength[] {
  const lengths: CodeLength[] = [];
  let code = 0;
  for (let bits = 0; bits <= MAX_CODE_BITS; bits++) {
    const symbols = (SYMBOLS_BY_CODE_BITS[bits] ?? '').split(' ').flatMap(symbolRange);
    lengths.push({ first_code: code, symbols });
    code = (code + symbols.length) * 2;
  }
  return lengths;
}

function symbolRange(text: string): number[] {
  if (text === '') return [];
  const [first = 0, last = first] = text.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** The text that was coded (RFC 7541 section 5.2), as Latin-1; undefined when it is no valid code. */
export function decodeHuffman(coded: Uint8Array): string | undefined {
  const decoded = new Uint8Array(Math.floor((coded.length * 8) / SHORTEST_CODE_BITS));
  let length = 0;
  let code = 0;
  let bits = 0;
  for (const byte of coded) {
    for (let shift = 7; shift >= 0; shift--) {
      code = (code << 1) | ((byte >> shift) & 1);
      bits++;
      const { first_code, symbols } = CODE_LENGTHS[bits] as CodeLength;
      const symbol = symbols[code - first_code];
      if (symbol === END_OF_STRING) return undefined;
      if (symbol === undefined) continue;
      decoded[length++] = symbol;
      code = 0;
      bits = 0;
    }
  }
  const is_padding = bits <= MAX_PADDING_BITS && code === (1 << bits) - 1;
  return is_padding ? latin1(decoded, 0, length) : undefined;
}
