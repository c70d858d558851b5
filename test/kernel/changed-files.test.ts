import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { TlsLibrary } from '../../src/model/tls-library.ts';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { openWatch, PYTHON } from './watch.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-changed-'));
const watch = openWatch();
const maps = execFileSync(PYTHON, ['-c', "import ssl; print(open('/proc/self/maps').read())"], { encoding: 'utf8' });
const original = fs.readFileSync(/\/\S*libssl\S*/.exec(maps)?.[0] ?? assert.fail('Python maps no libssl'));
const other = Buffer.alloc(original.length, 0x90);
after(async () => {
  fs.rmSync(folder, { recursive: true });
  await watch.close();
});

function install(name: string): { readonly file: string; readonly library: TlsLibrary } {
  const file = path.join(folder, name);
  fs.writeFileSync(file, original);
  const library = locateTls(file);
  assert.ok(library);
  return { file, library };
}

/** Whether a process that maps the file finds something else there than what the file holds: breakpoints. */
function isPatched(file: string): boolean {
  const program = `
import mmap, sys
with open(sys.argv[1], 'rb') as file:
    print(mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)[:] != file.read())`;
  return execFileSync(PYTHON, ['-c', program, file], { encoding: 'utf8' }) === 'True\n';
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert.ok(tries < 500, 'that never came');
    await setTimeout(10);
  }
}

test('a probed library that is overwritten loses its probes, before anybody runs into them', async () => {
  const { file, library } = install('libssl.so.3');
  assert.equal(watch.probes.attachTls(library), 'attached');
  assert.ok(isPatched(file));
  fs.writeFileSync(file, other);
  await until(() => !isPatched(file));
  assert.deepEqual(watch.probes.checkTls(), [{ path: file, by: 'watched' }]);
  assert.deepEqual(watch.probes.checkTls(), []);
});

test('a library that was overwritten is another one when it is met again', async () => {
  const { file, library } = install('libssl.so.1.1');
  assert.equal(watch.probes.attachTls(library), 'attached');
  fs.writeFileSync(file, Buffer.concat([original, Buffer.alloc(8)]));
  const newer = locateTls(file);
  assert.ok(newer);
  assert.equal(watch.probes.attachTls(library), 'gone', 'what was found in the old one');
  assert.equal(watch.probes.attachTls(newer), 'attached');
  assert.ok(isPatched(file));
  watch.probes.detachTls(newer);
  await until(() => !isPatched(file));
});

test('a change that is hidden by the old time of modification is seen', async () => {
  const { file, library } = install('libssl-hidden.so');
  assert.equal(watch.probes.attachTls(library), 'attached');
  const { atime, mtime } = fs.statSync(file);
  fs.writeFileSync(file, other);
  fs.utimesSync(file, atime, mtime);
  await until(() => !isPatched(file));
  watch.probes.checkTls();
});

test('a library that gets another owner, mode or name, or none, keeps its probes', async () => {
  const { file, library } = install('libssl.so.4');
  assert.equal(watch.probes.attachTls(library), 'attached');
  fs.chmodSync(file, 0o755);
  const moved = path.join(folder, 'libssl.so.5');
  fs.renameSync(file, moved);
  await setTimeout(50);
  assert.deepEqual(watch.probes.checkTls(), []);
  const renamed = locateTls(moved);
  assert.ok(renamed);
  assert.equal(watch.probes.attachTls(renamed), 'already');
  assert.ok(isPatched(moved));
});
