import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { whyUnreadable } from '../../src/targets/unreadable-tls.ts';

test('of a running Java program it is said that its own TLS cannot be read', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-java-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const library = path.join(folder, 'libjvm.so');
  fs.writeFileSync(library, 'x');
  const program = `import mmap, sys
file = open(${JSON.stringify(library)}, 'r+b')
memory = mmap.mmap(file.fileno(), 0)
print('mapped', flush=True); sys.stdin.read()`;
  const child = spawn('python3', ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  assert.match(whyUnreadable(child.pid ?? 0) ?? '', /Java's own TLS/);
  child.stdin.end();
  await once(child, 'exit');
});

test('nothing is said of a program that is gone, or has shared libraries of which any might speak TLS', () => {
  assert.equal(whyUnreadable(4_194_303), undefined);
  assert.equal(whyUnreadable(process.pid), undefined);
});
