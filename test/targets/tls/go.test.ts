import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readInstruction } from '../../../src/targets/tls/x86-instruction.ts';
import { damaged } from './damage.ts';
import { buildGoElf, type GoBuiltFunction, type GoElfPlan } from './go-elf-builder.ts';
import { locateIn } from './locate-in.ts';

const FILE = '/usr/local/go/src/crypto/tls/conn.go';
const NAMES = ['Read', 'Write', 'Close'].map((name) => `crypto/tls.(*Conn).${name}`);
/**
 * cmp rsp, [r14+16]; jbe to the call; push rbp; mov rbp, rsp; mov eax, four bytes that look like returns; pop rbp; ret; call of
 * what makes the stack larger; jmp to the beginning.
 */
const CODE = '493b6610' + '760b' + '55' + '4889e5' + 'b8c3c3c3c3' + '5d' + 'c3' + 'e800000000' + 'ebe8';
const RETURN = 16n;
const method = (name: string, changes: Partial<GoBuiltFunction> = {}): GoBuiltFunction => ({
  name,
  file: FILE,
  code: CODE,
  frames: [
    [0, 7],
    [8, 9],
    [0, 8],
  ],
  ...changes,
});
const others = Array.from({ length: 80 }, (_, index) =>
  method(`main.f${index}`, { file: '/src/main.go', code: CODE + 'cc'.repeat((index * 37) % 150) }),
);
const [before, after] = [others.slice(0, 40), others.slice(40)];
const plan = (changes: Partial<GoElfPlan> = {}): GoElfPlan => ({
  version: 'go1.26.8',
  layout: 20,
  functions: [...before, ...NAMES.map((name) => method(name)), ...after],
  ...changes,
});
const withMethod = (changed: GoBuiltFunction): GoElfPlan =>
  plan({ functions: [...before, ...NAMES.map((name) => (name === changed.name ? changed : method(name))), ...after] });

const whole: readonly (readonly [string, GoElfPlan])[] = [
  ['go1.17', plan({ version: 'go1.17.13', layout: 16 })],
  ['go1.18', plan({ version: 'go1.18', layout: 18 })],
  ['go1.20', plan({ version: 'go1.20.14' })],
  ['go1.26, whose table does not say where the code begins', plan({ saysTextStart: false })],
  ['a version in the making', plan({ version: 'devel go1.28-a1b2c3d4 Mon Jan 1 00:00:00 2029 +0000' })],
  ['a position-independent program', plan({ tableSection: '.data.rel.ro.gopclntab' })],
  ['a linker that put the table among other data', plan({ tableSection: '.data.rel.ro' })],
  ['C code before that of Go', plan({ saysTextStart: false, foreignBytes: 0x4350 })],
];
for (const [name, one] of whole) {
  test(`Go's TLS functions are found: ${name}`, () => {
    const { bytes, offsetOf } = buildGoElf(one);
    const { found, missing } = locateIn(bytes);
    assert.deepEqual(
      found?.functions,
      NAMES.map((name, index) => ({
        name: ['go_conn_read', 'go_conn_write', 'go_conn_close'][index],
        file_offset: offsetOf(name),
        probe_skip_bytes: 6,
        return_offsets: index === 2 ? [] : [offsetOf(name) + RETURN],
      })),
      missing,
    );
  });
}

test('a Go program that never closes a connection is read all the same', () => {
  const { found, missing } = locateIn(buildGoElf(plan({ functions: [...others, method(READ), method(WRITE)] })).bytes);
  assert.deepEqual(
    found?.functions.map(({ name }) => name),
    ['go_conn_read', 'go_conn_write'],
    missing,
  );
});

const [READ, WRITE] = NAMES as [string, string];
const refused: readonly (readonly [string, GoElfPlan, RegExp])[] = [
  ['arguments are passed on the stack', plan({ version: 'go1.16.15', layout: 16 }), /before go1\.17/],
  ['the table is not the version’s', plan({ version: 'go1.21.0', layout: 18 }), /table is that of go1\.18/],
  ['the version cannot be told', plan({ version: 'unknown' }), /no Go build information/],
  ['the code is another processor’s', plan({ machine: 183 }), /not x86-64/],
  ['there is no TLS', plan({ functions: others }), /no function crypto\/tls/],
  [
    'a name is there twice',
    plan({ functions: [...before, ...[...NAMES, WRITE].map((name) => method(name)), ...after] }),
    /Write: the name is there more than once/,
  ],
  ['a function comes from another file', withMethod(method(READ, { file: '/src/evil/conn.go' })), /from \/src\/evil/],
  [
    'a function does not check the stack',
    withMethod(method(READ, { code: CODE.replace('493b6610', '483b6110') })),
    /R14/,
  ],
  ['an instruction is unknown', withMethod(method(READ, { code: CODE.replace('4889e5', '0689e5') })), /not known/],
  ['a jump leads into an instruction', withMethod(method(WRITE, { code: CODE.replace('760b', '7607') })), /middle/],
  ['a return pops arguments', withMethod(method(WRITE, { code: CODE.replace('5dc3', 'c20000') })), /not known/],
  ['a function never returns', withMethod(method(WRITE, { code: CODE.replace('5dc3', '5d90') })), /has 0 returns/],
  [
    'there is a frame at a return',
    withMethod(
      method(WRITE, {
        frames: [
          [0, 7],
          [8, 17],
        ],
      }),
    ),
    /frame at 16/,
  ],
];
for (const [name, one, reason] of refused) {
  test(`no function of Go is probed where ${name}`, () => {
    const { found, missing } = locateIn(buildGoElf(one).bytes);
    assert.equal(found, undefined);
    assert.match(missing, reason);
  });
}

test('a Go program that is damaged in any way is looked into without an error', () => {
  for (const one of [plan(), plan({ version: 'go1.17', layout: 16 }), plan({ saysTextStart: false })]) {
    const { bytes } = buildGoElf(one);
    fc.assert(
      fc.property(damaged(bytes), (copy) => void locateIn(copy)),
      { numRuns: 150 },
    );
  }
});

test('any bytes are taken for instructions or refused, without an error and within their bounds', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), fc.nat(24), (bytes, at) => {
      const one = readInstruction(Buffer.from(bytes), at);
      assert.ok(one === undefined || (one.bytes > 0 && at + one.bytes <= bytes.length));
    }),
  );
});
