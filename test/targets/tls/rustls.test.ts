import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { damaged } from './damage.ts';
import { type BuiltFunction, buildElf, type ElfPlan } from './elf-builder.ts';
import { locateIn } from './locate-in.ts';

const SOURCE_PATH =
  '/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/rustls-0.23.46/src/msgs/message/outbound.rs';
const ERROR_TEXT = "cannot decrypt peer's message";
const SAVE = '554157415641554154534883ec68';
const RETURN = 'c3';
const STATE_BYTES = 0x230;

/** mov rax, [rdx+16]; mov rbx, [rdx+24]; sub rbx, rax; cmp qword [rdx], 0; cmove rbx, rax. */
const takesChunks = ['488b4210', '488b5a18', '4829c3', '48833a00', '480f44d8'];
/** The same by way of r12, optimised for size: mov r12, rdx; mov r13, [rdx]; test r13, r13; je; mov, sub of [r12+24], [r12+16]. */
const takesChunksByCopy = ['4989d4', '4c8b2a', '4d85ed', '740c', '498b6c2418', '492b6c2410'];
/** mov rbx, rdi; mov r12, [rdx+8]; cmp r12, least; jb. */
const takesSlice = (least: string) => ['4889fb', '4c8b6208', `4983fc${least}`, '0f8210000000'];
/** mov [rbx+8], r13; mov [rbx+16], r12; mov [rbx+24], cl. */
const returnsSlice = ['4c896b08', '4c896310', '884b18'];
/** lea rax, [rsi+n]; ret. */
const adds = (bytes: string) => [`488d46${bytes}${RETURN}`];

const encrypt = (name: string, code = takesChunks): BuiltFunction => ({ name, code: [SAVE, ...code, RETURN] });
const decrypt = (name: string, least: string, returns = returnsSlice): BuiltFunction => ({
  name,
  code: [SAVE, ...takesSlice(least), ...returns, RETURN],
});
const vtable = (drop: string | 0, ...methods: string[]) => [drop, STATE_BYTES, 16, ...methods];
/** What rustc lays between vtables: where a panic comes from. */
const place = [0x400100, 98, 0x1200000063];

const FUNCTIONS = [encrypt('encrypt'), { name: 'adds', code: adds('11') }, decrypt('decrypt', '10')];
const DATA = [...place, ...vtable(0, 'decrypt'), ...place, ...vtable(0, 'encrypt', 'adds'), ...place];
const PLAN: ElfPlan = { functions: FUNCTIONS, strings: [SOURCE_PATH], data: DATA };

const locate = (plan: Partial<ElfPlan> = {}) => {
  const built = buildElf({ ...PLAN, ...plan });
  const { found, missing } = locateIn(built.bytes);
  const names = new Map([...built.offsets].map(([name, offset]) => [offset, name]));
  return { missing, found, names: found?.functions.map((one) => `${one.name} ${names.get(one.file_offset)}`) };
};
const BOTH = ['rustls_encrypt encrypt', 'rustls_decrypt decrypt'];

for (const withRelocations of [false, true]) {
  test(`rustls is found by its vtables, whose addresses stand ${withRelocations ? 'in relocations' : 'in place'}`, () => {
    const { found, names } = locate({ withRelocations });
    assert.deepEqual(found?.families, ['rustls']);
    assert.deepEqual(names, BOTH);
    assert.match(
      found?.evidence.join('\n') ?? '',
      /rustls 0\.23\.46; 1 of 1 .*rustls_encrypt: TLS 1\.3.*rustls_decrypt: TLS 1\.3/s,
    );
  });
}

test('every cipher of TLS 1.2 and 1.3 has functions of its own, and all are found', () => {
  const ciphers = [
    { protocol: '1.3', added: '11', least: '10' },
    { protocol: '1.2 chacha', added: '10', least: '10' },
    { protocol: '1.2 gcm', added: '18', least: '18' },
  ];
  const functions = ciphers.flatMap(({ protocol, added, least }) => [
    encrypt(`e ${protocol}`),
    { name: `adds ${protocol}`, code: adds(added) },
    decrypt(`d ${protocol}`, least),
  ]);
  const data = ciphers.flatMap(({ protocol }) => [
    ...vtable(0, `d ${protocol}`),
    ...vtable(0, `e ${protocol}`, `adds ${protocol}`),
  ]);
  const { names } = locate({ functions, data });
  const expected = ciphers.flatMap(({ protocol }) => [`rustls_encrypt e ${protocol}`, `rustls_decrypt d ${protocol}`]);
  assert.deepEqual(names?.toSorted(), expected.toSorted());
});

test('compilers may use other registers, keep a frame, and give each of two equal drops its own function', () => {
  const functions = [
    encrypt('encrypt', takesChunksByCopy),
    { name: 'adds', code: ['554889e5', '488d4611', '5dc3'] },
    // Not below 16 is above 15.
    decrypt('decrypt', '0f'),
    { name: 'drop', code: [SAVE, RETURN] },
    { name: 'other drop', code: [SAVE, RETURN] },
  ];
  const data = [...vtable('drop', 'decrypt'), ...place, ...vtable('other drop', 'encrypt', 'adds')];
  assert.deepEqual(locate({ functions, data }).names, BOTH);
});

test('without source paths it is known by the text of its error', () => {
  assert.deepEqual(locate({ strings: [ERROR_TEXT] }).names, BOTH);
  assert.match(locate({ strings: ['rustls'] }).missing, /rustls: no source path or error text of rustls/);
});

test('where the result is written out of sight, only a version with a known layout will do', () => {
  const functions = [...FUNCTIONS.slice(0, 2), decrypt('decrypt', '10', [])];
  const older = SOURCE_PATH.replace('0.23.46', '0.21.12');
  for (const strings of [[SOURCE_PATH], [SOURCE_PATH, older]])
    assert.deepEqual(locate({ functions, strings }).names, BOTH);
  for (const strings of [[ERROR_TEXT], [SOURCE_PATH, SOURCE_PATH.replace('0.23.46', '0.24.0')]]) {
    assert.match(locate({ functions, strings }).missing, /rustls: .*0 of 1 vtables/);
  }
});

test('of other versions nothing is probed, and the version is told', () => {
  for (const version of ['0.21.12', '0.24.0-dev.2']) {
    const strings = [SOURCE_PATH.replace('0.23.46', version)];
    assert.ok(
      locate({ strings }).missing.includes(`rustls: source paths of rustls ${version}, and 0.23 alone is known`),
    );
  }
});

test('what passes its arguments otherwise is not probed: other versions, and functions that only look alike', () => {
  const changed = (name: string, ...code: string[]) =>
    FUNCTIONS.map((one) => (one.name === name ? { name, code: [SAVE, ...code, RETURN] } : one));
  const otherwise = [
    // A message that is one slice: mov r15, [rdx+8].
    changed('encrypt', '4c8b7a08', '4983c411'),
    // A message that is a vector, with its length in [2].
    changed('decrypt', '4889fb', '4c8b7208', '488b6a10', '4883fd10', ...returnsSlice),
    // The other cipher's overhead.
    changed('decrypt', ...takesSlice('18'), ...returnsSlice),
  ];
  for (const functions of otherwise) assert.match(locate({ functions }).missing, /rustls: .*0 of 1 vtables/);
});

/** Stands in before there are keys. */
const NEVER = `_ZN108_$LT$rustls..crypto..cipher..InvalidMessageDecrypter$u20$as$u20$rustls..crypto..cipher..MessageDecrypter$GT$7decrypt17h33ebb994f8af27b4E`;
const OLDER = '_ZN111_$LT$rustls..crypto..ring..tls13..Tls13';
const IN_TRAIT = '$u20$as$u20$rustls..crypto..cipher..';
const HASH = '17h9917576de4c3fd69E';
const NEWER = '_RNvXs2_NtNtNtCse5lHoelYWgn_6rustls6crypto4ring5tls13NtB5_21Tls13';
for (const [what, encryptName, decryptName, closure] of [
  [
    'older',
    `${OLDER}MessageEncrypter${IN_TRAIT}MessageEncrypter$GT$7encrypt${HASH}`,
    `${OLDER}MessageDecrypter${IN_TRAIT}MessageDecrypter$GT$7decrypt${HASH}`,
    `${OLDER}MessageDecrypter${IN_TRAIT}MessageDecrypter$GT$7decrypt28_$u7b$$u7b$closure$u7d$$u7d$${HASH}`,
  ],
  [
    'newer',
    `${NEWER}MessageEncrypterNtNtB9_6cipher16MessageEncrypter7encrypt`,
    `${NEWER}MessageDecrypterNtNtB9_6cipher16MessageDecrypter7decrypt`,
    '_RNCNvXs3_NtNtNtCse5lHoelYWgn_6rustls6crypto4ring5tls13NtB7_21Tls13MessageDecrypterNtNtBb_6cipher16MessageDecrypter7decrypt0Bd_',
  ],
] as const) {
  test(`a program that was not optimised is known by its symbols, in the ${what} way`, () => {
    const functions = [encryptName, decryptName, closure, NEVER].map((name) => encrypt(name));
    const plan = { functions, data: [], withSymbols: true };
    assert.deepEqual(locate(plan).names, [`rustls_encrypt ${encryptName}`, `rustls_decrypt ${decryptName}`]);
    const other = SOURCE_PATH.replace('0.23.46', '0.22.4');
    for (const strings of [[other], [SOURCE_PATH, other], [ERROR_TEXT]]) {
      assert.equal(locate({ ...plan, strings }).found, undefined);
    }
    const half = [encryptName, closure, NEVER].map((name) => encrypt(name));
    assert.match(locate({ ...plan, functions: half }).missing, /rustls: .*no symbols/);
  });
}

test('half of a connection is not probed', () => {
  assert.match(locate({ data: vtable(0, 'encrypt', 'adds') }).missing, /rustls: .*0 of 1 vtables/);
  const far = [...vtable(0, 'decrypt'), ...Array.from({ length: 200 }, () => 1), ...vtable(0, 'encrypt', 'adds')];
  assert.match(locate({ data: far }).missing, /rustls: .*0 of 1 vtables/);
});

test('a probe only goes where a function begins', () => {
  const functions = [{ name: 'around', code: ['0f1f00'] }, ...FUNCTIONS];
  const { offsets } = buildElf({ ...PLAN, functions });
  const inside = 0x400000 + Number(offsets.get('encrypt')) + 1;
  const data = DATA.map((one) => (one === 'encrypt' ? inside : one));
  assert.match(locate({ functions, data }).missing, /rustls: .*0 of 1 vtables/);
  assert.match(locate({ functions, data, withUnwindTables: false }).missing, /rustls: .*0 of 1 vtables/);
  assert.deepEqual(locate({ functions, withUnwindTables: false }).names, BOTH);
});

test('code of another machine is not searched', () => {
  assert.match(locate({ machine: 183 }).missing, /rustls: not x86-64 code/);
});

for (const withRelocations of [false, true]) {
  test(`a damaged file gives functions of the file or none, never an error${withRelocations ? ', also with relocations' : ''}`, () => {
    const { bytes } = buildElf({ ...PLAN, withRelocations });
    fc.assert(
      fc.property(damaged(bytes), (changed) => {
        const { found } = locateIn(changed);
        for (const { file_offset } of found?.functions ?? []) assert.ok(file_offset < BigInt(bytes.length));
      }),
      { numRuns: 200 },
    );
  });
}
