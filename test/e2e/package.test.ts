import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './workspace.ts';

test('the packed package installs elsewhere and runs there', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'undersight-package-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const run = (cwd: string, program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

  run(root, 'npm', 'pack', '--silent', '--pack-destination', folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  run(folder, 'npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefix', folder, join(folder, tarball));
  const program = join(folder, 'node_modules/.bin/undersight');
  assert.match(run(folder, program, '--help'), /undersight run/);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.match(run(folder, program, '--version'), new RegExp(version.replaceAll('.', '\\.')));
  assert.match(run(folder, program, 'run', '--format', 'json', '--', 'true'), /"true"/);
});
