import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findPackagedBinaries } from '../../src/targets/packaged-binaries.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-packaged-'));
after(() => fs.rmSync(directory, { recursive: true }));

function write(file: string, content: string, { bytes = 0, mode = 0o644 } = {}): string {
  const place = path.join(directory, file);
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.writeFileSync(place, content, { mode });
  if (bytes > 0) fs.truncateSync(place, bytes);
  return place;
}

const platform = `linux-${process.arch}`;
const script = write('node_modules/@acme/agent/bin/agent.js', '#!/usr/bin/env node');

test('the executable that an npm launcher starts is known before it is started', () => {
  const optionalDependencies = { [`@acme/agent-${platform}`]: '1', '@acme/agent-darwin-arm64': '1' };
  write('node_modules/@acme/agent/package.json', JSON.stringify({ optionalDependencies }));
  const large = { bytes: 2 * 1024 * 1024, mode: 0o755 };
  const beside = write(`node_modules/@acme/agent-${platform}/vendor/bin/agent`, '', large);
  const nested = write(`node_modules/@acme/agent/node_modules/@acme/agent-${platform}/agent`, '', large);
  write(`node_modules/@acme/agent-${platform}/vendor/bin/tool`, 'small', { mode: 0o755 });
  write(`node_modules/@acme/agent-${platform}/data`, '', { bytes: 2 * 1024 * 1024 });
  write('node_modules/@acme/agent-darwin-arm64/agent', '', large);
  assert.deepEqual(findPackagedBinaries(script), [nested, beside]);
});

test('what is no package, or says nothing sensible of itself, has none', () => {
  assert.deepEqual(findPackagedBinaries('/usr/bin/env'), []);
  const own = path.join(directory, 'node_modules/@acme/agent/package.json');
  for (const content of [
    '',
    '{',
    'null',
    '[]',
    '{"optionalDependencies":null}',
    '{"optionalDependencies":{"../linux-x64":"1"}}',
  ]) {
    fs.writeFileSync(own, content);
    assert.deepEqual(findPackagedBinaries(script), [], content);
  }
});
