import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { damaged } from './damage.ts';
import { type BuiltFunction, buildElf, hex32, type Instruction } from './elf-builder.ts';
import { locateIn, offsetsOf } from './locate-in.ts';

const FILE = '../../vendor/boringssl/ssl/ssl_lib.cc';
const ENTER = '554889e5';
const LEAVE = '5dc3';
/** How SSL_read begins in Bun: up to a jump over three bytes. */
const BEGINNING = '554889e54157415653504883bf98000000007403';

/** ERR_put_error(16, 0, reason, file, line), as compilers make it of position-dependent code. */
const raise = (reason: number, line: number): Instruction[] => [
  { mov: 'b9', to: FILE },
  'bf10000000',
  '31f6',
  `ba${hex32(reason)}`,
  `41b8${hex32(line)}`,
  { call: 'ERR_put_error' },
];
/** The same, when the compiler dropped the second argument and addresses are relative. */
const raiseWithout = (reason: number, line: number): Instruction[] => [
  { lea: '488d15', to: FILE },
  'bf10000000',
  `be${hex32(reason)}`,
  `b9${hex32(line)}`,
  { call: 'ERR_put_error' },
];
const padding = '0f1f8000000000'.repeat(4);

type Raise = typeof raise;
const handshake = (put: Raise) => plain('SSL_do_handshake', ...put(134, 724));
const plain = (name: string, ...code: Instruction[]): BuiltFunction => ({ name, code: [ENTER, ...code, LEAVE] });
const read = (put: Raise, beginning = BEGINNING) => ({
  name: 'SSL_read',
  code: [beginning, ...put(66, 933), { call: 'ssl_read_impl' }, LEAVE],
});
const write = (put: Raise) =>
  plain('SSL_write', ...[66, 226, 215, 111].flatMap((reason, at) => [...put(reason, 955 + at), padding]), {
    call: 'SSL_do_handshake',
  });
const FREE = ['488b03', '4885c0', '7406', '4889df', 'ff5010'];
const make = plain('SSL_new', ...raise(185, 488), { call: 'OPENSSL_free' }, { call: '~ssl_st' });
const destructor = (name: string) => plain(name, '53', '4889fb', padding, ...FREE, '5b');
const main = plain(
  'main',
  ...['SSL_read', 'SSL_peek', 'SSL_write', 'SSL_do_handshake', 'ssl_read_impl', 'ERR_put_error'].map((call) => ({
    call,
  })),
);
const library = (put: Raise, ...changed: BuiltFunction[]): BuiltFunction[] =>
  [
    plain('ERR_put_error'),
    handshake(put),
    plain('ssl_read_impl', ...put(226, 839), padding, ...put(215, 872), { call: 'SSL_do_handshake' }),
    read(put),
    plain('SSL_peek', ...put(66, 945), { call: 'ssl_read_impl' }),
    write(put),
    main,
  ].map((one) => changed.find(({ name }) => name === one.name) ?? one);

const locate = (functions: readonly BuiltFunction[], machine?: number) => {
  const built = buildElf({ functions, strings: [FILE], withUnwindTables: false, ...(machine && { machine }) });
  return { ...built, ...locateIn(built.bytes) };
};

for (const [what, put] of [
  ['as it is compiled', raise],
  ['with an argument dropped', raiseWithout],
] as const) {
  test(`SSL_read and SSL_write are found by the errors they raise, ${what}`, () => {
    const { found, offsets } = locate(library(put));
    assert.deepEqual(found?.families, ['boringssl']);
    assert.deepEqual(offsetsOf(found), { SSL_read: offsets.get('SSL_read'), SSL_write: offsets.get('SSL_write') });
    assert.match(found?.evidence.join('\n') ?? '', /SSL_read: .*line 933.*alone begins as SSL_read does in Bun/);
  });
}

test('that a connection object is destroyed is seen in its destructor, which SSL_new calls when it fails', () => {
  const known = [
    ...library(raise),
    plain('OPENSSL_free'),
    destructor('~ssl_st'),
    make,
    plain('more', { call: 'SSL_new' }),
  ];
  const { found, offsets } = locate(known);
  assert.equal(offsetsOf(found).SSL_free, offsets.get('~ssl_st'));
  const doubtful = locate(known.map((one) => (one.name === 'OPENSSL_free' ? destructor(one.name) : one)));
  assert.deepEqual(Object.keys(offsetsOf(doubtful.found)), ['SSL_read', 'SSL_write']);
  assert.match(doubtful.found?.evidence.join('\n') ?? '', /SSL_free: not found/);
});

test('where SSL_new does not call it, the destructor is the one function nearby that ends what the protocol holds', () => {
  const alone = [...library(raise), destructor('~ssl_st'), plain('more', { call: '~ssl_st' })];
  const { found, offsets } = locate(alone);
  assert.equal(offsetsOf(found).SSL_free, offsets.get('~ssl_st'));
  assert.match(found?.evidence.join('\n') ?? '', /SSL_free: .*the only function near SSL_write/);
  const doubtful = locate([...alone, destructor('other'), plain('most', { call: 'other' })]);
  assert.equal(offsetsOf(doubtful.found).SSL_free, undefined);
});

test('SSL_write may raise further errors, of what is inlined into it', () => {
  const known = library(raise);
  const inlined = known.map((one) =>
    one.name === 'SSL_write' ? { ...one, code: [...write(raise).code.slice(0, -1), ...raise(246, 975), LEAVE] } : one,
  );
  const { found, offsets } = locate(inlined);
  assert.equal(offsetsOf(found).SSL_write, offsets.get('SSL_write'));
});

test('SSL_read is found by its errors alone where it begins otherwise, and that is said', () => {
  const { found, offsets } = locate(library(raise, read(raise, ENTER)));
  assert.equal(offsetsOf(found).SSL_read, offsets.get('SSL_read'));
  assert.match(found?.evidence.join('\n') ?? '', /SSL_read: .*does not begin as SSL_read does in Bun/);
});

test('where SSL_peek is inlined in SSL_read, the one that also takes the data away is SSL_read', () => {
  const own: Instruction[] = [...raise(66, 935), { call: 'ssl_read_impl' }];
  const inlined = plain('SSL_read', ...own, { call: 'DiscardConsumed' });
  const functions = [...library(raise, inlined, plain('SSL_peek', ...own)), plain('DiscardConsumed')];
  const locateWith = (withUnwindTables: boolean) => {
    const built = buildElf({ functions, strings: [FILE], withUnwindTables });
    return { ...built, ...locateIn(built.bytes) };
  };
  const { found, offsets } = locateWith(true);
  assert.equal(offsetsOf(found).SSL_read, offsets.get('SSL_read'));
  // Bytes that only look like a call cannot be told from calls then.
  assert.equal(locateWith(false).found, undefined);
});

test('SSL_read is found by its first bytes alone where its errors tell nothing, and that is said', () => {
  const { found, offsets } = locate(library(raise, { name: 'SSL_read', code: [BEGINNING, '0f1f00', LEAVE] }));
  assert.equal(offsetsOf(found).SSL_read, undefined, 'SSL_peek is then the only one that raises what SSL_read does');
  const functions = library(raise, { name: 'SSL_read', code: [BEGINNING, '0f1f00', LEAVE] }, plain('SSL_peek'));
  const alone = locate(functions);
  assert.equal(offsetsOf(alone.found).SSL_read, offsets.get('SSL_read'));
  assert.match(alone.found?.evidence.join('\n') ?? '', /SSL_read: .*not confirmed by the errors it raises/);
});

test('where the errors and the first bytes lead to different places, nothing is found', () => {
  const elsewhere = { name: 'SSL_peek', code: [BEGINNING, ...raise(66, 945), { call: 'ssl_read_impl' }, LEAVE] };
  assert.match(
    locate(library(raise, read(raise, ENTER), elsewhere)).missing,
    /boringssl: .*none that settles SSL_read/,
  );
});

test('in doubt nothing is found, and it is said why', () => {
  const twice = [...library(raise), { ...write(raise), name: 'other' }, plain('more', { call: 'other' })];
  assert.match(locate(twice).missing, /boringssl: .*none that settles SSL_write/);
  assert.match(locate(library(raise, plain('SSL_do_handshake'))).missing, /none that settles SSL_write/);
  assert.match(locate(library(raise, plain('main'))).missing, /none that settles SSL_write/);
  assert.match(locate(library(raise), 183).missing, /boringssl: not x86-64 code/);
});

test('a damaged file gives functions of the file or none, never an error', () => {
  const { bytes } = buildElf({ functions: library(raise), strings: [FILE], withUnwindTables: false });
  fc.assert(
    fc.property(damaged(bytes), (changed) => {
      const { found } = locateIn(changed);
      for (const { file_offset } of found?.functions ?? []) assert.ok(file_offset < BigInt(bytes.length));
    }),
    { numRuns: 200 },
  );
});
