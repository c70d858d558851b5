import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import { AttachedLibraries, type TlsUse } from '../../src/kernel/attached-libraries.ts';
import type { AttachResult } from '../../src/kernel/tls-probes.ts';
import { versionOf } from '../../src/model/file-identity.ts';
import type { TlsLibrary } from '../../src/model/tls-library.ts';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { createTlsAttacher } from '../../src/tls-attacher.ts';
import { openWatch } from './watch.ts';

function attach(results: readonly AttachResult[]) {
  const left = [...results];
  const counters = createCounters();
  const warnings: string[] = [];
  const probes = { attachTls: () => left.shift() ?? 'already', detachTls: () => {}, checkTls: () => [] };
  const attacher = createTlsAttacher({ probes, counters, warn: (text) => warnings.push(text) });
  attacher.attach(results.map(() => process.execPath));
  return { losses: counters.losses(), warnings };
}

test('a library that cannot be probed is told once per cause, and counted each time', () => {
  const { losses, warnings } = attach([{ failed: 'EACCES' }, { failed: 'EACCES' }, { failed: 'uprobe_multi: EINVAL' }]);
  assert.deepEqual(losses, [['live.attach_failed', 3]]);
  assert.equal(warnings.length, 2);
});

test('a process that was too short to be probed is no failure', async () => {
  assert.deepEqual(attach(['gone', 'attached', 'already']), { losses: [], warnings: [] });
  const watch = openWatch();
  const library = locateTls(process.execPath);
  assert.ok(library);
  assert.equal(watch.probes.attachTls({ ...library, path: '/proc/4194303/exe' }), 'gone');
  assert.equal(watch.probes.attachTls({ ...library, path: '/proc/self/status' }), 'gone');
  await watch.close();
});

test('when there are too many libraries, what is needed least makes room', (t) => {
  assert.deepEqual(attach(['attached_for_another']).losses, [['live.library_evicted', 1]]);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-libraries-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const library = (name: string): TlsLibrary => {
    const file = path.join(folder, name);
    // Held open, as probed files are: its inode is not given to another.
    const fd = fs.openSync(file, 'w');
    t.after(() => fs.closeSync(fd));
    const stat = fs.fstatSync(fd, { bigint: true });
    return {
      path: file,
      device: stat.dev,
      inode: stat.ino,
      version: versionOf(stat),
      build_id: undefined,
      families: ['openssl-symbols'],
      functions: [],
      evidence: [],
    };
  };
  const running = { by: 'watched', pid: process.pid } as const;
  const ended = { by: 'watched', pid: 4194303 } as const;
  const anyone = { by: 'anyone' } as const;
  const libraries = new AttachedLibraries<string>(5);
  const add = (name: string, use: TlsUse) => {
    const one = library(name);
    const room = libraries.makeRoom();
    if (room !== false) libraries.add(one, name, use);
    return room === false ? 'no room' : room.evicted;
  };
  assert.equal(add('running', running), undefined);
  assert.equal(add('ended', ended), undefined);
  assert.equal(add('first', anyone), undefined);
  assert.equal(add('removed', ended), undefined);
  assert.equal(add('second', anyone), undefined);
  for (const name of ['running', 'removed']) fs.rmSync(path.join(folder, name));
  assert.equal(add('third', running), 'removed', 'whose file is gone, unless somebody still runs it');
  assert.equal(add('fourth', running), 'first', 'what is there for anyone');
  assert.equal(add('fifth', running), 'second');
  assert.equal(add('sixth', running), 'ended', 'what was seen longest ago');
  assert.equal(add('seventh', anyone), 'no room');
  assert.deepEqual(
    libraries.all().map(({ held }) => held),
    ['running', 'third', 'fourth', 'fifth', 'sixth'],
  );
});

test('what somebody watched comes to use stays as long as that process does', () => {
  const libraries = new AttachedLibraries<string>(1);
  const one = locateTls(process.execPath);
  assert.ok(one);
  libraries.add(one, 'one', { by: 'anyone' });
  assert.deepEqual(libraries.see(one, { by: 'watched', pid: process.pid }), { held: 'one', is_new: true });
  assert.deepEqual(libraries.see(one, { by: 'anyone' }), { held: 'one', is_new: false });
  assert.equal(libraries.makeRoom(), false);
});
