import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFile, isProcess, outline } from './trace.ts';
import { agents, createWorkspace, type RunResult } from './workspace.ts';

function assertNothingLost(result: RunResult): void {
  assert.equal(result.code, 0, result.stderr);
  for (const span of result.spans) assert.equal(span.attributes['undersight.capture.lost_events'] ?? 0, 0, span.name);
}

test('2,000 short processes in a row are all in the trace', async (t) => {
  const workspace = createWorkspace(t, undefined);
  const loop = 'i=0; while [ $i -lt 2000 ]; do /bin/true $i; i=$((i+1)); done';
  const result = await workspace.run(['/bin/sh', '-c', loop]);
  assertNothingLost(result);
  const processes = result.spans
    .filter(isProcess)
    .filter((span) => span.attributes['process.executable.name'] === 'true');
  const seen = new Set(processes.map((span) => (span.attributes['process.command_args'] as string[])[1]));
  assert.equal(processes.length, 2000, outline(result.spans.slice(0, 20)));
  assert.equal(seen.size, 2000);
});

test('50,000 openings of 5,000 files: every path is a span or counted', async (t) => {
  const workspace = createWorkspace(t, undefined);
  const folder = workspace.path('many');
  mkdirSync(folder);
  for (let index = 0; index < 5000; index++) writeFileSync(join(folder, String(index).padStart(5, '0')), '');
  const result = await workspace.run(['python3', join(agents, 'open-storm.py'), folder, '5000', '50000']);
  assertNothingLost(result);
  assert.equal(result.stdout, '50000\n');
  const files = result.spans
    .filter(isFile)
    .filter((span) => String(span.attributes['file.path']).startsWith(`${folder}/`));
  const left_out = result.spans.reduce(
    (sum, span) => sum + Number(span.attributes['undersight.left_out.count'] ?? 0),
    0,
  );
  const paths = new Set(files.map((span) => span.attributes['file.path']));
  assert.equal(paths.size, files.length, 'a path has more than one span');
  assert.ok(paths.size + left_out >= 5000, `${paths.size} paths and ${left_out} left out`);
  for (const file of files)
    assert.equal(file.attributes['undersight.file.count'], 10, String(file.attributes['file.path']));
});
