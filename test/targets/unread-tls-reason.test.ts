import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, mock, test } from 'node:test';
import { fileKeyOf, locateTls } from '../../src/targets/locate-tls.ts';
import { unreadTlsReason } from '../../src/targets/unread-tls-reason.ts';
import { createUnreadNotices } from '../../src/unread-notices.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-unread-'));
after(() => fs.rmSync(folder, { recursive: true }));
/** A program without TLS that nobody has looked into. */
const sleeper = path.join(folder, 'sleeper');
fs.copyFileSync('/bin/sleep', sleeper);

const startedAt = (pid: number) =>
  BigInt(fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19] ?? 0) * 10_000_000n;

async function run(): Promise<{ pid: number; end: () => Promise<void> }> {
  const child = spawn(sleeper, ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return {
    pid: child.pid ?? 0,
    end: async () => {
      child.kill();
      await once(child, 'close');
    },
  };
}

test('why the TLS of a program cannot be read is found out once, and known when it is gone', async () => {
  const { pid, end } = await run();
  const file_key = fileKeyOf(`/proc/${pid}/exe`);
  const opened = mock.method(fs, 'readSync');
  try {
    assert.match(unreadTlsReason(pid) ?? '', /no TLS library that is known \(openssl-symbols: no symbol SSL_read/);
    const reads = () => opened.mock.calls.filter((call) => (call.arguments as readonly unknown[])[4] !== null).length;
    const first = reads();
    assert.ok(first > 0);
    assert.match(unreadTlsReason(pid) ?? '', /no TLS library that is known/);
    assert.equal(reads(), first);
  } finally {
    opened.mock.restore();
    await end();
  }
  assert.match(unreadTlsReason(pid, { file_key }) ?? '', /no TLS library that is known \(openssl-symbols/);
});

test('what is gone and was never looked into is said to be gone, whatever now lies at its path', async () => {
  const { pid, end } = await run();
  await end();
  assert.match(unreadTlsReason(pid, { file_key: '1:2:3' }) ?? '', /gone before anybody could look/);
  assert.match(unreadTlsReason(pid) ?? '', /gone before anybody could look/);
});

test('another process that got the number of one that is gone does not speak for it', async () => {
  const { pid, end } = await run();
  const started_ns = startedAt(pid);
  assert.match(unreadTlsReason(pid, { process: `${pid}:${started_ns}` }) ?? '', /no TLS library that is known/);
  const earlier = `${pid}:${started_ns - 60_000_000_000n}` as const;
  assert.match(unreadTlsReason(pid, { process: earlier }) ?? '', /gone/);
  await end();
});

test('functions that were found say so when their process is gone', async () => {
  const file_key = fileKeyOf(process.execPath);
  assert.ok(locateTls(process.execPath));
  assert.match(unreadTlsReason(2 ** 22 + 1, { file_key }) ?? '', /found too late/);
});

test('a program is named once, and not while the record that told of it is handled', async () => {
  const { pid, end } = await run();
  const warnings: string[] = [];
  const deferred: (() => void)[] = [];
  const notices = createUnreadNotices(
    (text) => warnings.push(text),
    (action) => deferred.push(action),
  );
  notices.runs(pid, '/bin/sleeper');
  const event = { kind: 'unread_traffic', protocol: 'tls', pid, process: `${pid}:${startedAt(pid)}` } as never;
  notices.unread(event);
  notices.unread(event);
  assert.deepEqual(warnings, []);
  for (const action of deferred) action();
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0] ?? '',
    /^TLS of \/bin\/sleeper \(pid \d+\) is not read, or not all: no TLS library that is known/,
  );
  await end();
});
