import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load-config.ts';

const root = join(import.meta.dirname, '../..');

for (const file of globSync('examples/config/*.yaml', { cwd: root })) {
  test(`${file} is accepted without a warning, whatever the environment`, () => {
    assert.deepEqual(loadConfig({ files: [join(root, file)], sets: [], env: {} }).warnings, []);
  });
}

test('the configuration in the README is accepted', () => {
  const [, text = ''] = /```yaml\n(receivers:.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  assert.notEqual(text, '');
  const directory = mkdtempSync(join(tmpdir(), 'undersight-readme-'));
  const file = join(directory, 'undersight.yaml');
  writeFileSync(file, text);
  try {
    assert.deepEqual(loadConfig({ files: [file], sets: [], env: {} }).warnings, []);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
