import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import { createDecode } from '../../src/kernel/decode.ts';
import { loadProbes, type Probes } from '../../src/kernel/loader.ts';
import { createRing, type Ring } from '../../src/kernel/ring.ts';
import { launchHeld } from '../../src/launch.ts';
import type { Event } from '../../src/model/event.ts';
import { SetupError } from '../../src/model/setup-error.ts';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { readOverTls } from './read-over-tls.ts';

const object_path = path.join(import.meta.dirname, '../../bpf/undersight.bpf.o');
const options = { object_path, ring_bytes: 1 << 22, watch_all_execs: false, discover_by_traffic: false };
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-probes-'));
const counters = createCounters();
const events: Event[] = [];
let probes: Probes;
let ring: Ring;

before(() => {
  probes = loadProbes(options);
  const decode = createDecode({ counters }, { push: (event) => events.push(event) });
  ring = createRing(probes.ring_fd, probes.ring_bytes, (record) => decode.pushRecord(record));
});

after(async () => {
  ring.close();
  await probes.close();
  fs.rmSync(directory, { recursive: true });
});

/** Everything that was seen of a command, from before its first instruction to its end. */
async function watch(command: string, ...args: string[]): Promise<{ readonly pid: number; readonly seen: Event[] }> {
  const child = await launchHeld(command, args);
  probes.watch(child.pid, 0n);
  child.release();
  await child.exited;
  ring.drain();
  return { pid: child.pid, seen: events.splice(0) };
}

test('a watched command is seen from its exec to its exit, with its arguments and files', async () => {
  const file = path.join(directory, 'x');
  const { pid, seen } = await watch('/bin/sh', '-c', `echo hello > ${file}; exit 3`, 'second word');
  const exec = seen.find((event) => event.kind === 'process_exec' && event.args.at(-1) === 'second word');
  assert.ok(exec?.kind === 'process_exec');
  assert.equal(exec.pid, pid);
  assert.equal(exec.executable_path, fs.realpathSync('/bin/sh'));
  assert.equal(exec.working_directory, process.cwd());
  assert.equal(exec.parent_pid, process.pid);
  const opened = seen.find((event) => event.kind === 'file_open' && event.path === file);
  assert.ok(opened?.kind === 'file_open');
  assert.equal(opened.created, true);
  const exit = seen.at(-1);
  assert.ok(exit?.kind === 'process_exit');
  assert.deepEqual([exit.exit_code, exit.signal, exit.process], [3, 0, exec.process]);
});

test('children of a watched process are followed, threads of it are not taken for processes', async () => {
  const { pid, seen } = await watch('/bin/sh', '-c', '/bin/ls / > /dev/null; true');
  const fork = seen.find((event) => event.kind === 'process_fork' && event.parent_pid === pid);
  assert.ok(fork?.kind === 'process_fork');
  assert.ok(seen.some((event) => event.kind === 'process_exec' && event.process === fork.process));
  assert.ok(seen.some((event) => event.kind === 'process_exit' && event.process === fork.process));
  const { seen: ofThreads } = await watch(process.execPath, '-e', '0');
  assert.ok(!ofThreads.some((event) => event.kind === 'process_fork'));
});

test('a command line of a megabyte arrives whole', async () => {
  const words = Array.from({ length: 20 }, (_, index) => String(index).padStart(60_000, 'x'));
  const { seen } = await watch('/bin/true', ...words);
  const exec = seen.find((event) => event.kind === 'process_exec' && event.args[0] === '/bin/true');
  assert.ok(exec?.kind === 'process_exec');
  assert.deepEqual(exec.args.slice(1), words);
  assert.equal(exec.args_lost_bytes, 0);
});

test('nothing is seen of processes that nobody watches', async () => {
  const child = await launchHeld('/bin/true', []);
  child.release();
  await child.exited;
  ring.drain();
  assert.deepEqual(events.splice(0), []);
});

test('plaintext of the TLS library in the node executable is seen in both directions, with its socket', async () => {
  const library = locateTls(process.execPath);
  assert.ok(library);
  assert.equal(probes.attachTls(library), 'attached');
  assert.equal(probes.attachTls({ ...library, path: `/proc/self/exe` }), 'already');
  const question = 'x'.repeat(100_000);
  const answer = 'y'.repeat(40_000);
  let watched: Awaited<ReturnType<typeof watch>> | undefined;
  const { port } = await readOverTls(question, answer, async (command, args) => {
    watched = await watch(command, ...args);
  });
  assert.ok(watched);
  const { pid, seen } = watched;
  const data = seen.filter((event) => event.kind === 'tls_data' && event.pid === pid);
  const text = (direction: string) =>
    data
      .map((event) =>
        event.kind === 'tls_data' && event.direction === direction ? Buffer.from(event.data).toString() : '',
      )
      .join('');
  assert.equal(text('write'), question);
  assert.equal(text('read'), answer);
  const connect = seen.find((event) => event.kind === 'net_open' && event.peer.port === port);
  assert.ok(connect?.kind === 'net_open');
  const last = data.at(-1);
  assert.equal(last?.kind === 'tls_data' && last.socket_id, connect.socket_id);
});

test('processes that run already are listed', () => {
  const own = probes.readProcesses().find((one) => one.pid === process.pid);
  assert.equal(own?.parent_pid, process.ppid);
  assert.equal(own?.uid, 0);
});

test('nothing was lost, and no record was malformed', () => {
  assert.deepEqual(
    probes.readLosses().filter((count) => count > 0),
    [],
  );
  assert.deepEqual(counters.entries(), []);
});

test('programs that are not there, or are none, are refused with what to do', () => {
  for (const object_path of ['/nonexistent.bpf.o', '/etc/passwd']) {
    assert.throws(
      () => loadProbes({ ...options, object_path }),
      (error) => error instanceof SetupError && error.fix !== '',
    );
  }
});
