import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { readElf } from '../../../src/targets/elf.ts';
import { opensslStatic } from '../../../src/targets/tls/openssl-static.ts';
import { opensslSymbols } from '../../../src/targets/tls/openssl-symbols.ts';
import { findSystemLibraries } from '../../../src/targets/tls-files.ts';
import { damaged } from './damage.ts';
import { type BuiltFunction, buildElf, type ElfPlan, hex32, type Instruction } from './elf-builder.ts';
import { locateIn, offsetsOf } from './locate-in.ts';

const FILE = 'ssl/ssl_lib.c';
const ENTER = 'f30f1efa4883ec18';
const LEAVE = '4883c418c3';

/** ERR_raise. */
const report = (name: string, file = FILE): Instruction[] => [
  { call: 'ERR_new' },
  { lea: '488d15', to: name },
  `be${hex32(1234)}`,
  { lea: '488d3d', to: file },
  { call: 'ERR_set_debug' },
  LEAVE,
];
const plain = (name: string, ...code: Instruction[]): BuiltFunction => ({ name, code: [ENTER, ...code, LEAVE] });
const lowering = (name: string, ...code: Instruction[]): BuiltFunction =>
  plain(name, 'b8ffffffff', 'f00fc14720', ...code, { lea: '488d35', to: FILE });

/** As OpenSSL 3.0 has them: the inner functions take four arguments. */
const READ = plain('SSL_read', '4889e1', { call: 'ssl_read_internal' }, LEAVE, ...report('SSL_read'));
const FOUR_ARGUMENTS: readonly BuiltFunction[] = [
  plain('ERR_new'),
  plain('ERR_set_debug'),
  plain('ssl_read_internal', ...report('ssl_read_internal')),
  READ,
  plain('SSL_read_ex', { call: 'ssl_read_internal' }),
  plain('ssl_write_internal', ...report('ssl_write_internal')),
  plain('SSL_write', '4889e1', { call: 'ssl_write_internal' }, LEAVE, ...report('SSL_write')),
  plain('SSL_write_ex', { call: 'ssl_write_internal' }),
  lowering('SSL_CTX_free'),
  lowering('SSL_free', { call: 'SSL_CTX_free' }),
];
/** As OpenSSL 3.3 and later have them: the inner write takes flags. */
const FLAGS = [
  plain('SSL_write', '31c9', '4989e0', { call: 'ssl_write_internal' }, LEAVE, ...report('SSL_write')),
  plain('SSL_write_ex2', { call: 'ssl_write_internal' }),
  { name: 'SSL_write_ex', code: ['f30f1efa', '4989c8', '31c9', { jump: 'SSL_write_ex2' }] },
];
const STRINGS = [FILE, 'SSL_read', 'ssl_read_internal', 'SSL_write', 'ssl_write_internal', 'binding.c'];

const locate = (plan: Partial<ElfPlan> = {}) => {
  const built = buildElf({ functions: FOUR_ARGUMENTS, strings: STRINGS, ...plan });
  return { ...built, ...locateIn(built.bytes) };
};
const replaced = (...changed: BuiltFunction[]) => [
  ...FOUR_ARGUMENTS.filter(({ name }) => !changed.some((one) => one.name === name)),
  ...changed,
];

test('all five functions of a static OpenSSL are found without symbols, each with what it was known by', () => {
  const { found, offsets } = locate();
  assert.deepEqual(found?.families, ['openssl-static']);
  const names = ['SSL_read', 'SSL_read_ex', 'SSL_write', 'SSL_write_ex', 'SSL_free'];
  assert.deepEqual(offsetsOf(found), Object.fromEntries(names.map((name) => [name, offsets.get(name)])));
  for (const name of names)
    assert.ok(
      found?.evidence.some((one) => one.startsWith(`${name}: `)),
      name,
    );
});

test('SSL_write_ex is told from SSL_write_ex2, which takes another argument', () => {
  const { found, offsets } = locate({ functions: replaced(...FLAGS) });
  assert.equal(offsetsOf(found).SSL_write_ex, offsets.get('SSL_write_ex'));
});

test('a binding that uses the same names is no hindrance', () => {
  const binding = plain('binding', ...report('SSL_read', 'binding.c'));
  const { found, offsets } = locate({ functions: [...FOUR_ARGUMENTS, binding] });
  assert.equal(offsetsOf(found).SSL_read, offsets.get('SSL_read'));
});

test('where the inner functions are inlined, SSL_read and SSL_write are found alone', () => {
  const functions = replaced(
    plain('SSL_read', ...report('SSL_read'), ...report('ssl_read_internal')),
    plain('SSL_write', ...report('SSL_write'), ...report('ssl_write_internal')),
  ).filter(({ name }) => !name.startsWith('SSL_read_') && !name.startsWith('SSL_write_'));
  const { found, offsets } = locate({ functions });
  assert.equal(offsetsOf(found).SSL_read, offsets.get('SSL_read'));
  assert.equal(offsetsOf(found).SSL_write, offsets.get('SSL_write'));
  assert.equal(offsetsOf(found).SSL_read_ex, undefined);
});

test('in doubt nothing is found, and it is said why', () => {
  const twice = { functions: [...FOUR_ARGUMENTS, { ...READ, name: 'other' }] };
  assert.match(locate(twice).missing, /openssl-static: .*none that settles SSL_read\n/);
  const noCall = { functions: replaced(plain('SSL_read', ...report('SSL_read'))) };
  assert.match(locate(noCall).missing, /none that settles SSL_read\n/);
  const halves = { functions: replaced({ ...READ, code: ['0fb6c0', ...READ.code] }) };
  assert.match(locate(halves).missing, /none that settles SSL_read\n/);
  assert.match(locate({ withUnwindTables: false }).missing, /openssl-static: no usable \.eh_frame_hdr/);
  assert.match(locate({ machine: 183 }).missing, /openssl-static: not x86-64 code/);
  assert.match(locate({ functions: [plain('main')], strings: ['x'] }).missing, /no string "ssl\/ssl_lib\.c"/);
});

test('SSL_free is left out where two could be it', () => {
  const { found } = locate({ functions: [...FOUR_ARGUMENTS, lowering('SSL_SESSION_free')] });
  assert.equal(offsetsOf(found).SSL_free, undefined);
  assert.notEqual(offsetsOf(found).SSL_read, undefined);
});

test('a damaged file gives functions of the file or none, never an error', () => {
  const { bytes } = buildElf({ functions: replaced(...FLAGS), strings: STRINGS });
  fc.assert(
    fc.property(damaged(bytes), (changed) => {
      const { found } = locateIn(changed);
      for (const { file_offset } of found?.functions ?? []) assert.ok(file_offset < BigInt(bytes.length));
    }),
    { numRuns: 200 },
  );
});

/** What the symbols of a file say, and what is found when they are not looked at. */
function compare(file: string) {
  const fd = fs.openSync(file, 'r');
  try {
    const elf = readElf(fd);
    assert.ok(elf);
    const bySymbols = opensslSymbols.locate(elf);
    assert.ok('functions' in bySymbols, file);
    const symbols = bySymbols.functions;
    const isSymbols = ({ type }: { type: number }) => type === 2 || type === 11;
    const byCode = opensslStatic.locate({ ...elf, sections: elf.sections.filter((one) => !isSymbols(one)) });
    return { symbols, code: 'functions' in byCode ? byCode.functions : byCode.missing };
  } finally {
    fs.closeSync(fd);
  }
}

test('in the system libssl the code leads to where the symbols say', (context) => {
  const libssl = findSystemLibraries().find((file) => /libssl\.so\.3/.test(file));
  if (libssl === undefined || process.arch !== 'x64') return context.skip('needs libssl.so.3 for x86-64');
  const { symbols, code } = compare(libssl);
  assert.ok(typeof code !== 'string', String(code));
  const directions = new Set(code.map(({ name }) => (/read/.test(name) ? 'read' : 'write')));
  assert.equal(directions.size, 2);
  // It calls SSL_CTX_free through its linkage table, so that SSL_free cannot be told; a shared library has symbols anyway.
  for (const one of code)
    assert.deepEqual(
      symbols.find(({ name }) => name === one.name),
      one,
    );
});

test('in the node executable the code leads to where the symbols say', (context) => {
  if (process.arch !== 'x64') return context.skip('needs a node for x86-64');
  const { symbols, code } = compare(process.execPath);
  assert.ok(typeof code !== 'string', String(code));
  assert.ok(code.some(({ name }) => name === 'SSL_read') && code.some(({ name }) => name === 'SSL_write'));
  for (const one of code)
    assert.deepEqual(
      symbols.find(({ name }) => name === one.name),
      one,
    );
});
