import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import { AttachedLibraries } from '../../src/kernel/attached-libraries.ts';
import type { AttachResult } from '../../src/kernel/tls-probes.ts';
import type { TlsLibrary } from '../../src/model/tls-library.ts';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { createTlsAttacher } from '../../src/tls-attacher.ts';
import { openWatch } from './watch.ts';

function attach(results: readonly AttachResult[]) {
  const left = [...results];
  const counters = createCounters();
  const warnings: string[] = [];
  const probes = { attachTls: () => left.shift() ?? 'already', detachTls: () => {} };
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

test('when there are too many libraries, one whose file is gone makes room, else the one seen longest ago', (t) => {
  assert.deepEqual(attach(['attached_for_another']).losses, [['live.library_evicted', 1]]);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-libraries-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const library = (name: string): TlsLibrary => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, '');
    const { dev, ino } = fs.statSync(file, { bigint: true });
    return {
      path: file,
      device: dev,
      inode: ino,
      build_id: undefined,
      families: ['openssl-symbols'],
      functions: [],
      evidence: [],
    };
  };
  const libraries = new AttachedLibraries<string>(3);
  const [a, b, c, d, e] = [library('a'), library('b'), library('c'), library('d'), library('e')];
  for (const one of [a, b, c]) assert.equal(libraries.add(one, path.basename(one.path)), undefined);
  fs.rmSync(b.path);
  assert.equal(libraries.add(d, 'd'), 'b');
  assert.ok(libraries.see(a));
  assert.equal(libraries.add(e, 'e'), 'c');
  assert.ok(!libraries.see(c));
  assert.deepEqual(libraries.takeAll(), ['d', 'a', 'e']);
});
