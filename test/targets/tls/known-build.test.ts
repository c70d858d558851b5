import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { SetupError } from '../../../src/model/setup-error.ts';
import { readElf } from '../../../src/targets/elf.ts';
import { inspectTls } from '../../../src/targets/tls/inspect-tls.ts';
import { loadKnownBuilds } from '../../../src/targets/tls/known-builds.ts';
import { placeProbes } from '../../../src/targets/tls/place-probes.ts';
import { buildElf } from './elf-builder.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-builds-'));
after(() => fs.rmSync(folder, { recursive: true }));

const write = (name: string, content: string | Buffer) => {
  const file = path.join(folder, name);
  fs.writeFileSync(file, content);
  return file;
};
/** A program without symbols or strings, whose functions nothing tells. */
const { bytes, offsets } = buildElf({
  functions: [
    { name: 'read', code: ['554889e54157415653b8c30000004883ec085dc3'] },
    { name: 'write', code: ['554889e541574156415541545348', '5dc3'] },
  ],
  strings: ['x'],
});
const program = write('program', bytes);
const run = (...args: string[]) =>
  execFileSync(path.join(import.meta.dirname, '../../../undersight'), args, { encoding: 'utf8', stdio: 'pipe' });

function inspect() {
  const fd = fs.openSync(program, 'r');
  try {
    const elf = readElf(fd);
    assert.ok(elf);
    return inspectTls(elf);
  } finally {
    fs.closeSync(fd);
  }
}

/** What `targets inspect --entry` prints, with the functions filled in. */
function entry(functions: Record<string, { at: string; begins?: string }>): string {
  let output = '';
  try {
    output = run('targets', 'inspect', '--entry', program);
  } catch (error) {
    output = (error as { stdout: string }).stdout;
  }
  assert.match(output, /"functions":\[\]/);
  const list = Object.entries(functions).map(([name, { at, begins }]) => {
    const offset = offsets.get(at) ?? 0n;
    const there = bytes.toString('hex', Number(offset), Number(offset) + 12);
    return { name, file_offset: `0x${offset.toString(16)}`, begins: begins ?? there };
  });
  return output.replace('"functions":[]', `"functions":${JSON.stringify(list)}`);
}

test('a program whose TLS is not found can be listed by hand', () => {
  assert.equal(inspect().found, undefined);
  loadKnownBuilds([write('builds.yaml', entry({ SSL_read: { at: 'read' }, SSL_write: { at: 'write' } }))]);
  const { found } = inspect();
  assert.deepEqual(found?.families, ['known-build']);
  assert.deepEqual(found.functions, [
    { name: 'SSL_read', file_offset: offsets.get('read') },
    { name: 'SSL_write', file_offset: offsets.get('write') },
  ]);
  assert.match(found.evidence.join('\n'), /listed in \S*builds\.yaml; begins 554889e5/);
  loadKnownBuilds([]);
});

test('`targets inspect` takes the lists that the configuration names, as `watch` does, and says which it was', () => {
  const list = write('configured.yaml', entry({ SSL_read: { at: 'read' }, SSL_write: { at: 'write' } }));
  const setting = `receivers.undersight.targets.known_builds=[${list}]`;
  assert.match(run('targets', 'inspect', '--set', setting, program), /listed in \S*configured\.yaml/);
});

test('a list that names other instructions than there are is not used', () => {
  const wrong = entry({ SSL_read: { at: 'read' }, SSL_write: { at: 'write', begins: '4883ec1831c0c3cc' } });
  loadKnownBuilds([write('wrong.yaml', wrong)]);
  const { found, missing } = inspect();
  assert.equal(found, undefined);
  assert.match(missing[0]?.missing ?? '', /wrong\.yaml names it, but at 0x\w+ SSL_write should begin 4883ec1831c0c3cc/);
  loadKnownBuilds([]);
});

test('a build of Go is listed with where its functions return, or not used', () => {
  const at = (name: string, more = 0) => `"0x${((offsets.get(name) ?? 0n) + BigInt(more)).toString(16)}"`;
  const ofSsl = entry({ SSL_read: { at: 'read' } });
  const list = (returns: string) =>
    ofSsl.replace('"SSL_read"', `"go_conn_read","probe_skip_bytes":4,"return_offsets":[${returns}]`);
  const end = bytes.indexOf('5dc3', Number(offsets.get('read')), 'hex') - Number(offsets.get('read'));
  loadKnownBuilds([write('go.yaml', list(at('read', end + 1)))]);
  const found = inspect().found?.functions[0];
  assert.equal(found?.probe_skip_bytes, 4);
  assert.deepEqual(found.return_offsets, [(offsets.get('read') ?? 0n) + BigInt(end + 1)]);
  // A probe stays where it was listed: nothing that costs less is looked for.
  assert.deepEqual(placeProbes({ machine: 62 } as never, [found]), [found]);
  const inConstant = bytes.indexOf('b8c3', Number(offsets.get('read')), 'hex') - Number(offsets.get('read')) + 1;
  for (const wrong of [end, inConstant, -1]) {
    loadKnownBuilds([write('go.yaml', list(at('read', wrong)))]);
    assert.match(
      inspect().missing[0]?.missing ?? '',
      /go_conn_read (does not return|cannot be told apart)/,
      String(wrong),
    );
  }
  const skipsTooLittle = list(at('read', end + 1)).replace('"probe_skip_bytes":4', '"probe_skip_bytes":3');
  loadKnownBuilds([write('go.yaml', skipsTooLittle)]);
  assert.match(inspect().missing[0]?.missing ?? '', /no instruction of go_conn_read begins/);
  loadKnownBuilds([]);
});

test('a list that others could write, or put another in the place of, is refused', () => {
  const directory = path.join(folder, 'lists');
  fs.mkdirSync(directory, { mode: 0o755 });
  const file = write('lists/builds.yaml', '[]');
  loadKnownBuilds([file]);
  const refused = (message: RegExp) =>
    assert.throws(
      () => loadKnownBuilds([file]),
      (error) => error instanceof SetupError && message.test(error.message) && error.message.includes(file),
    );
  for (const [one, mode] of [
    [file, 0o664],
    [file, 0o646],
    [directory, 0o777],
  ] as const) {
    fs.chmodSync(one, mode);
    refused(/can be written by others/);
    fs.chmodSync(one, mode & 0o755);
  }
  if (process.geteuid?.() === 0) {
    fs.chownSync(file, 65534, 65534);
    refused(/belongs to the user 65534/);
  }
  loadKnownBuilds([]);
});

test('what is no list of builds is refused, with the place of the mistake', () => {
  const cases: Readonly<Record<string, RegExp>> = {
    '- { build_id: abcdef12, functions: [{ name: SSL_peek, file_offset: 0x10, begins: 554889e541574156 }] }':
      /0\.functions\.0\.name/,
    '- { build_id: abcdef12, functions: [{ name: SSL_read, file_offset: -1, begins: 554889e541574156 }] }':
      /0\.functions\.0\.file_offset/,
    '- { build_id: abcdef12, functions: [{ name: SSL_read, file_offset: "0x10", begins: "55" }] }': /8 to 64 bytes/,
    '- { functions: [{ name: SSL_read, file_offset: "0x10", begins: "554889e541574156" }] }': /expected a build_id/,
    '- { build_id: abcdef12, functions: [{ name: go_conn_read, file_offset: 16, begins: "554889e541574156" }] }':
      /needs probe_skip_bytes and return_offsets/,
    '- { build_id: abcdef12, functions: [{ name: SSL_read, file_offset: 16, begins: "554889e541574156", return_offsets: [20] }] }':
      /no other has them/,
    '- build_id: abcdef12\n  functions:\n    - {}': /bad\.yaml:3: 0\.functions\.0\.name/,
    'nonsense: true': /expected array/,
    '- [': /cannot be read/,
  };
  for (const [text, message] of Object.entries(cases)) {
    const file = write('bad.yaml', text);
    assert.throws(
      () => loadKnownBuilds([file]),
      (error) => error instanceof SetupError && message.test(error.message) && error.message.includes(file),
      text,
    );
  }
  assert.throws(() => loadKnownBuilds(['/nonexistent.yaml']), SetupError);
  const command = ['validate', '--set', `receivers.undersight.targets.known_builds=[${path.join(folder, 'bad.yaml')}]`];
  assert.throws(() => run(...command), /bad\.yaml/);
});
