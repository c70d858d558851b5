import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { launch } from './launch.ts';

const directory = mkdtempSync(join(tmpdir(), 'undersight-cli-'));
after(() => rmSync(directory, { recursive: true }));

const commands = [
  [],
  ['run'],
  ['watch'],
  ['record'],
  ['replay'],
  ['traces'],
  ['traces', 'ls'],
  ['traces', 'show'],
  ['traces', 'rm'],
  ['validate'],
  ['doctor'],
];
for (const command of commands) {
  test(`undersight ${command.join(' ')} --help has examples, on standard output`, async () => {
    const { code, stdout, stderr } = await launch([...command, '--help']);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: ${['undersight', ...command].join(' ')}`));
    assert.match(stdout, /\nExamples:\n {2}\S/);
    assert.equal(stderr, '');
  });
}

test('no command, an unknown one, an unknown option: usage errors', async () => {
  const none = await launch([]);
  assert.deepEqual([none.code, none.stdout], [2, '']);
  assert.match(none.stderr, /^Usage: undersight/);
  const unknown = await launch(['traces', 'lss']);
  assert.deepEqual([unknown.code, unknown.stdout], [2, '']);
  assert.equal(
    unknown.stderr,
    "undersight: unknown command 'lss'\n(Did you mean ls?)\n  See 'undersight traces --help'.\n",
  );
  const option = await launch(['validate', '--jsno']);
  assert.equal(option.code, 2);
  assert.equal(
    option.stderr,
    "undersight: unknown option '--jsno'\n(Did you mean --json?)\n  See 'undersight validate --help'.\n",
  );
});

test('validate prints what a configuration amounts to', async () => {
  const { code, stdout } = await launch(['validate', '--set', 'exporters.store.max_age=36h']);
  assert.equal(code, 0);
  assert.match(stdout, /\n {2}store:\n {4}max_age: 36h\n/);
});

test('validate warns of what no pipeline names', async () => {
  const { code, stderr } = await launch([
    'validate',
    '--set',
    'service.pipelines.traces.exporters=[console]',
    '--set',
    'exporters.store={}',
  ]);
  assert.equal(code, 0);
  assert.equal(stderr, 'undersight: warning: store is configured, but service.pipelines.traces does not name it\n');
});

test('validate tells all errors at once, with their places, and no stack trace', async () => {
  const file = join(directory, 'bad.yaml');
  writeFileSync(file, 'exporters:\n  stor: {}\nreceivers:\n  undersight: {ring_bytes: tiny}\n');
  const { code, stdout, stderr } = await launch(['validate', '--config', file]);
  assert.deepEqual([code, stdout], [2, '']);
  assert.equal(
    stderr,
    `undersight: the configuration has 2 problems
  ${file}:4:28: receivers.undersight.ring_bytes: expected a size such as 4096, 512KiB, 64MiB or 2GiB; got "tiny"
  ${file}:2:3: exporters.stor: unknown type stor; did you mean store? (allowed: otlp_grpc, otlp_http, console, store)
  Correct these; \`undersight validate\` checks again.
`,
  );
  const json = await launch(['validate', '--config', file, '--json']);
  assert.equal(json.code, 2);
  const { valid, problems } = JSON.parse(json.stdout);
  assert.equal(valid, false);
  assert.deepEqual(problems[1].at, { file, line: 2, column: 3 });
});

test('UNDERSIGHT_DEBUG shows where an error comes from', async () => {
  const { stderr } = await launch(['validate', '--config', '/nowhere'], { env: { UNDERSIGHT_DEBUG: '1' } });
  assert.match(stderr, /\n {4}at loadConfig/);
});

test('version names Undersight, Node.js and the kernel', async () => {
  const { code, stdout } = await launch(['version', '--json']);
  assert.equal(code, 0);
  assert.deepEqual(Object.keys(JSON.parse(stdout)), ['undersight', 'node', 'kernel', 'arch']);
});

test('doctor says which exporters can work, and how to mend the others', async () => {
  const set = ['--set', 'exporters.store.path=/dev/null/traces.db'];
  const { code, stdout } = await launch(['doctor', '--json', ...set]);
  const { works, findings } = JSON.parse(stdout);
  assert.equal(code, works ? 0 : 1);
  const store = findings.find(({ name }: { name: string }) => name === 'store');
  assert.equal(store.status, 'missing');
  assert.match(store.fix, /UNDERSIGHT_STORE/);
  for (const name of [
    'kernel',
    'btf',
    'capabilities',
    'libbpf',
    'kernel programs',
    'TLS libraries',
    'agents running',
  ]) {
    assert.ok(
      findings.some((finding: { name: string }) => finding.name === name),
      name,
    );
  }
});

test('a reader that goes away is no error', async () => {
  const command = `"$0" validate | head -c 1 >/dev/null; "$0" --help | true`;
  const program = new URL('../../undersight', import.meta.url).pathname;
  const { code, stderr } = await launch(['-o', 'pipefail', '-c', command, program], { program: '/bin/bash' });
  assert.deepEqual([code, stderr], [0, '']);
});
