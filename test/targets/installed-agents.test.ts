import assert from 'node:assert/strict';
import fs, { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findAgentsInPath, findInstalledAgents } from '../../src/targets/installed-agents.ts';

const folder = mkdtempSync(join(tmpdir(), 'undersight-installed-'));
after(() => rmSync(folder, { recursive: true }));
const [first, second] = [join(folder, 'first'), join(folder, 'second')];
for (const directory of [first, second]) mkdirSync(directory);

test('of several installations of an agent, a path gives the first, all of them are found for a whole machine', () => {
  copyFileSync('/bin/true', join(first, 'goose'));
  copyFileSync('/bin/true', join(second, 'goose'));
  symlinkSync(join(second, 'goose'), join(second, 'goosed'));
  const search = `${first}:${second}`;
  assert.deepEqual(
    findAgentsInPath(search).map(({ name, executable_path }) => [name, executable_path]),
    [['goose', join(first, 'goose')]],
  );
  const found = findInstalledAgents(search).map(({ executable_path }) => executable_path);
  assert.deepEqual(
    found.filter((path) => path.startsWith(folder)),
    [join(first, 'goose'), join(second, 'goose')],
  );
});

test('with a script that starts an agent comes its interpreter', () => {
  const gemini = join(first, 'gemini');
  writeFileSync(gemini, `#!${process.execPath}\n`, { mode: 0o755 });
  const [agent] = findAgentsInPath(first).filter(({ name }) => name === 'gemini-cli');
  assert.ok(
    agent?.tls_files.some((file) => file.endsWith('/node')),
    String(agent?.tls_files),
  );
});

test('each directory is searched once for each command, however many there are', (t) => {
  const many = Array.from({ length: 20 }, (_, index) => join(folder, `empty-${index}`));
  const access = t.mock.method(fs, 'accessSync');
  findInstalledAgents(many.join(':'));
  const looks = access.mock.calls.map(({ arguments: [file] }) => String(file));
  const once = looks.filter((file) => file.startsWith(`${many[0]}/`));
  assert.ok(once.length > 0);
  assert.equal(once.length, new Set(once).size);
});

test('an interpreter is looked for in the whole path, whichever directory its script is in', () => {
  writeFileSync(join(second, 'gemini'), '#!/usr/bin/env an-interpreter\n', { mode: 0o755 });
  copyFileSync('/bin/true', join(first, 'an-interpreter'));
  const agent = findInstalledAgents(`${second}:${first}`).find((one) => one.executable_path === join(second, 'gemini'));
  assert.ok(agent?.tls_files.includes(join(first, 'an-interpreter')), String(agent?.tls_files));
});
