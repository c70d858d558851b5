import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TlsFunctionName } from '../../../src/model/tls-library.ts';
import { readElf, segmentAddress } from '../../../src/targets/elf.ts';
import { findFunctions } from '../../../src/targets/elf-symbols.ts';
import { scanReferences } from '../../../src/targets/tls/code-scan.ts';
import { findStrings } from '../../../src/targets/tls/constant-strings.ts';
import { readFunctionTable } from '../../../src/targets/tls/function-table.ts';
import { groupByFunction } from '../../../src/targets/tls/named-function.ts';
import { findInner } from '../../../src/targets/tls/openssl-inner.ts';
import { findSystemLibraries } from '../../../src/targets/tls-files.ts';
import { type BuiltFunction, buildElf, type Instruction } from './elf-builder.ts';

const SUB = '4883ec18';
const ADD = '4883c418c3';
const TEST_JS = '85d27802';
const PUSHES = '415641554154555348893c24c3';

const outer = (name: string, place: string, ...calls: Instruction[]): BuiltFunction => ({
  name,
  code: [SUB, '31c0', TEST_JS, place, '4863d2', ...calls, '85c0', ADD],
});
const thin = (name: string, ...calls: Instruction[]): BuiltFunction => ({
  name,
  code: ['4883ec08', ...calls, '31d2', ADD],
});
const inner = (name: string, code = PUSHES): BuiltFunction => ({ name, code: [code] });

function findIn(functions: readonly BuiltFunction[]) {
  const { bytes, offsets } = buildElf({ functions: [...functions, inner('last')], strings: ['x'] });
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-inner-'));
  const fd = fs.openSync(path.join(directory, 'library'), 'w+');
  try {
    fs.writeSync(fd, bytes);
    const elf = readElf(fd);
    assert.ok(elf);
    const addresses = new Map<TlsFunctionName, number>();
    for (const [name, offset] of offsets) {
      const address = segmentAddress(elf, offset);
      if (name.startsWith('SSL_') && address !== undefined) addresses.set(name as TlsFunctionName, address);
    }
    const found = findInner(elf, addresses);
    return found.map(({ name, file_offset }) => ({
      name,
      at: [...offsets].find(([, offset]) => offset === file_offset)?.[0],
    }));
  } finally {
    fs.closeSync(fd);
    fs.rmSync(directory, { recursive: true });
  }
}

const call = (name: string): Instruction => ({ call: name });
const RCX_LOCAL = '4889e1';
const R8_LOCAL = '4c8d44240831c9';

test('where the outer functions begin dear, what both call is probed', () => {
  const functions = [
    outer('SSL_read', RCX_LOCAL, call('read')),
    thin('SSL_read_ex', call('read')),
    outer('SSL_write', '488d4c2408', call('write')),
    thin('SSL_write_ex', call('write')),
    inner('read'),
    inner('write'),
  ];
  assert.deepEqual(findIn(functions), [
    { name: 'ssl_read_internal', at: 'read' },
    { name: 'ssl_write_internal', at: 'write' },
  ]);
});

test('since OpenSSL 3.3 the inner write has its flags before the length', () => {
  const write = (...functions: BuiltFunction[]) => findIn([...functions, inner('write')]);
  const found = write(outer('SSL_write', R8_LOCAL, call('write')), thin('SSL_write_ex2', call('write')));
  assert.deepEqual(found, [{ name: 'ssl_write_internal_flags', at: 'write' }]);
  // Arguments of the one form and functions of the other do not go together.
  assert.deepEqual(write(outer('SSL_write', R8_LOCAL, call('write')), thin('SSL_write_ex', call('write'))), []);
  assert.deepEqual(write(outer('SSL_write', RCX_LOCAL, call('write')), thin('SSL_write_ex2', call('write'))), []);
});

test('nothing is found in doubt', () => {
  const both = [inner('read'), inner('other')];
  const cases: Readonly<Record<string, readonly BuiltFunction[]>> = {
    'two functions are called by both': [
      outer('SSL_read', RCX_LOCAL, call('read'), call('other')),
      thin('SSL_read_ex', call('read'), call('other')),
    ],
    'none is': [outer('SSL_read', RCX_LOCAL, call('read')), thin('SSL_read_ex', call('other'))],
    'where the length goes does not show': [outer('SSL_read', '90', call('read')), thin('SSL_read_ex', call('read'))],
    'there is no SSL_read_ex': [outer('SSL_read', RCX_LOCAL, call('read'))],
    'SSL_read begins cheap': [
      { name: 'SSL_read', code: ['55', RCX_LOCAL, call('read'), 'c3'] },
      thin('SSL_read_ex', call('read')),
    ],
    'SSL_read_ex calls SSL_read': [outer('SSL_read', RCX_LOCAL, call('read')), thin('SSL_read_ex', call('SSL_read'))],
  };
  for (const [name, functions] of Object.entries(cases)) assert.deepEqual(findIn([...functions, ...both]), [], name);
  const dear = [
    outer('SSL_read', RCX_LOCAL, call('read')),
    thin('SSL_read_ex', call('read')),
    inner('read', `${SUB}c3`),
  ];
  assert.deepEqual(findIn(dear), [], 'the inner one begins no cheaper');
});

test('in the system libssl the inner functions are those that report errors under these names', (t) => {
  const file = findSystemLibraries().find((one) => /libssl\.so\.3/.test(one));
  if (file === undefined || process.arch !== 'x64') return t.skip('needs libssl.so.3 for x86-64');
  const fd = fs.openSync(file, 'r');
  try {
    const elf = readElf(fd);
    assert.ok(elf);
    const offsets = findFunctions(elf, [
      'SSL_read',
      'SSL_read_ex',
      'SSL_write',
      'SSL_write_ex',
      'SSL_write_ex2',
    ] as const);
    const addresses = new Map([...offsets].map(([name, offset]) => [name, segmentAddress(elf, offset) ?? 0] as const));
    const found = findInner(elf, addresses);
    if (found.length === 0) return t.skip('this libssl begins its functions with instructions that are cheap to probe');
    const table = readFunctionTable(elf);
    assert.ok(table);
    const names = findStrings(elf, ['ssl_read_internal', 'ssl_write_internal'] as const);
    const named = groupByFunction(scanReferences(elf, new Set(names.keys())), table, names);
    for (const { name, file_offset } of found) {
      const strings: readonly string[] = [...(named.get(segmentAddress(elf, file_offset) ?? 0)?.strings ?? [])];
      assert.deepEqual(strings, [name.replace('_flags', '')]);
    }
  } finally {
    fs.closeSync(fd);
  }
});
