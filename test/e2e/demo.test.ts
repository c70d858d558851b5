import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { node, root } from './workspace.ts';

test('the demo prints one trace with both tool calls and what nobody asked for', async (t) => {
  // Of its own: others on this machine make temporary folders too.
  const TMPDIR = mkdtempSync(join(tmpdir(), 'undersight-demo-test-'));
  t.after(() => rmSync(TMPDIR, { recursive: true }));
  const { code, stdout } = await new Promise<{ code: unknown; stdout: string }>((resolve) => {
    execFile(
      node,
      [join(root, 'examples/demo/demo.ts')],
      { cwd: root, env: { ...process.env, TMPDIR } },
      (error, text) => {
        resolve({ code: error?.code ?? 0, stdout: text });
      },
    );
  });
  assert.equal(code, 0, stdout);
  const order = [
    /agent: Both services answer as described\./,
    /invoke_agent/,
    /chat gpt-5-mini/,
    /execute_tool shell/,
    /execute_tool shell/,
    /chat gpt-5-mini/,
  ];
  let rest = stdout;
  for (const expected of order) {
    const found = expected.exec(rest);
    assert.ok(found, `${expected} not found in its place in\n${stdout}`);
    rest = rest.slice(found.index + found[0].length);
  }
  const [, first = '', second = ''] = stdout.split('execute_tool shell');
  const calls = [
    { lines: first, file: 'orders.json', other: 'users.json' },
    { lines: second.split(/\n.*\bid -un\b/)[0] ?? '', file: 'users.json', other: 'orders.json' },
  ];
  for (const { lines, file, other } of first.includes('orders.json') ? calls : calls.map(swap)) {
    assert.match(lines, new RegExp(`node check-service\\.mjs ${file}`), stdout);
    assert.match(lines, new RegExp(`read workspace +${file}`), stdout);
    assert.match(lines, /connect loopback +127\.0\.0\.1:\d+/, stdout);
    assert.ok(!lines.includes(other), stdout);
  }
  assert.match(stdout, /^.*\bid\b.*not requested.*$/im);
  const left = readdirSync(TMPDIR).filter((name) => /^(undersight-demo|mock-llm)-/.test(name));
  assert.deepEqual(left, []);
});

/** The two calls run side by side: either may be shown first. */
function swap(call: { readonly lines: string; readonly file: string; readonly other: string }) {
  return { lines: call.lines, file: call.other, other: call.file };
}
