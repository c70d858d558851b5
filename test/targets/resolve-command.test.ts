import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { SetupError } from '../../src/model/setup-error.ts';
import { resolveCommand } from '../../src/targets/resolve-command.ts';
import { findProcessFiles, findSystemLibraries } from '../../src/targets/tls-files.ts';

const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-command-')));
after(() => fs.rmSync(directory, { recursive: true }));
const place = { path_variable: `${directory}:/usr/bin:/bin`, working_directory: directory };

function script(name: string, text: string, mode = 0o755): string {
  const file = path.join(directory, name);
  fs.writeFileSync(file, text, { mode });
  return file;
}

test('a command is found in PATH, and its links are followed to the file to probe', () => {
  fs.symlinkSync(process.execPath, path.join(directory, 'mynode'));
  const { executable_path, tls_files } = resolveCommand('mynode', place);
  assert.equal(executable_path, path.join(directory, 'mynode'));
  assert.ok(tls_files.includes(fs.realpathSync(process.execPath)));
});

test('a script brings its interpreters, also those that env looks for', () => {
  fs.symlinkSync(process.execPath, path.join(directory, 'othernode'));
  script('direct', `#!${process.execPath} --no-warnings\n`);
  script('byenv', '#!/usr/bin/env -S A=1 othernode --no-warnings\n');
  script('chain', `#!${path.join(directory, 'byenv')}\n`);
  for (const name of ['direct', 'byenv', 'chain']) {
    const { tls_files } = resolveCommand(`./${name}`, place);
    assert.ok(tls_files.includes(fs.realpathSync(process.execPath)), name);
  }
});

test('a script that is its own interpreter is no endless loop', () => {
  const file = path.join(directory, 'loop');
  script('loop', `#!${file}\n`);
  assert.equal(resolveCommand(file, place).executable_path, file);
});

test('libssl files of the system and beside the executable are to be probed', () => {
  fs.mkdirSync(path.join(directory, 'env/bin'), { recursive: true });
  fs.mkdirSync(path.join(directory, 'env/lib'));
  script('env/bin/tool', '#!/bin/sh\n');
  script('env/lib/libssl.so.3', '');
  const { tls_files } = resolveCommand('env/bin/tool', place);
  assert.ok(tls_files.includes(path.join(directory, 'env/lib/libssl.so.3')));
  for (const library of findSystemLibraries()) assert.ok(tls_files.includes(library));
});

test('what is not there, or may not be executed, is refused with what to do', () => {
  script('plain', 'text', 0o644);
  for (const command of ['no-such-command', './no-such-file', './plain', '/']) {
    assert.throws(() => resolveCommand(command, place), SetupError, command);
  }
});

test('a running process shows its executable and mapped TLS libraries, by paths that lead into its own files', () => {
  const files = findProcessFiles(process.pid);
  assert.equal(files[0], `/proc/${process.pid}/exe`);
  assert.ok(files.every((file) => file.startsWith(`/proc/${process.pid}/`)));
  assert.deepEqual(findProcessFiles(2 ** 30), [`/proc/${2 ** 30}/exe`]);
});

test('a program that a wrapper starts is known before it runs', () => {
  fs.copyFileSync('/bin/true', path.join(directory, 'wrapped'));
  script('wrapper', '#!/bin/sh\nset -e\nexec wrapped "$@"\n');
  script('outer', `#!/bin/sh\n[ -n "$X" ] || exec ${path.join(directory, 'wrapper')}\n`);
  const wrapped = path.join(directory, 'wrapped');
  const runs: [string, ...string[]][] = [
    ['env', 'X=1', 'wrapped'],
    ['timeout', '-s', 'INT', '10', wrapped],
    ['sh', '-c', 'cd /tmp; exec wrapped --now'],
    ['sh', '-c', `A=1 "${wrapped}" | cat`],
    ['wrapper'],
    ['outer'],
    ['sh', 'wrapper'],
  ];
  for (const [command, ...args] of runs) {
    assert.ok(resolveCommand(command, place, args).tls_files.includes(wrapped), [command, ...args].join(' '));
  }
  assert.ok(!resolveCommand('true', place, ['--wrapped', 'no']).tls_files.includes(wrapped));
});
