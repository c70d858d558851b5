import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { ProcessSnapshot } from '../../src/model/process-snapshot.ts';
import { readAgentVersion } from '../../src/targets/agent-version.ts';
import { snapshotDescriptors } from '../../src/targets/process-descriptors.ts';
import { containerId, readProcessFacts } from '../../src/targets/process-facts.ts';
import { snapshotProcess, treeOf } from '../../src/targets/process-snapshots.ts';
import { parseAddress } from '../../src/targets/socket-table.ts';

const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-process-')));
after(() => fs.rmSync(directory, { recursive: true }));

function snapshot(pid: number, parent_pid = 1): ProcessSnapshot {
  return {
    process: `${pid}:1`,
    pid,
    parent: `${parent_pid}:1`,
    parent_pid,
    namespace_pid: pid,
    uid: 0,
    gid: 0,
    cgroup_id: 1n,
    comm: '',
  };
}

test('of the environment only the variables that matter are read', async () => {
  const environment = { OTEL_SERVICE_NAME: 'mine', API_KEY: 'secret', HOME: '/home/x', TRACEPARENT: '00-a-b-01' };
  const child = spawn('/bin/sleep', ['10'], { env: environment });
  try {
    await new Promise((resolve) => child.once('spawn', resolve));
    const facts = readProcessFacts(child.pid as number, `${child.pid as number}:1`, 5n);
    assert.deepEqual(facts?.environment, { OTEL_SERVICE_NAME: 'mine', TRACEPARENT: '00-a-b-01' });
    assert.equal(facts?.home_directory, '/home/x');
    assert.equal(facts?.user_name, os.userInfo().username);
  } finally {
    child.kill();
  }
});

test('a process that is gone has no facts, no snapshot and no descriptors', () => {
  const pid = 2 ** 30;
  assert.equal(readProcessFacts(pid, `${pid}:1`, 1n), undefined);
  assert.equal(snapshotProcess(snapshot(pid), true, 1n), undefined);
  assert.deepEqual(snapshotDescriptors(pid, `${pid}:1`, 1n), []);
});

test("a container's id is found in the cgroup names of the usual runtimes", () => {
  const id = 'ab'.repeat(32);
  for (const line of [
    `0::/system.slice/docker-${id}.scope`,
    `12:memory:/docker/${id}`,
    `0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope`,
    `0::/machine.slice/libpod-${id}.scope/container`,
  ]) {
    assert.equal(containerId(`1:name=systemd:/\n${line}\n`), id, line);
  }
  assert.equal(containerId('0::/user.slice/user-1000.slice\n'), undefined);
});

test('a process that runs already is told as if it had just been executed', () => {
  const event = snapshotProcess(snapshot(process.pid, process.ppid), true, 9n);
  assert.equal(event?.origin, 'snapshot');
  assert.equal(event?.executable_path, fs.realpathSync(process.execPath));
  assert.equal(event?.working_directory, process.cwd());
  assert.ok(event?.args.some((argument) => argument.endsWith('process.test.ts')));
});

test('a tree is its root and all that descend from it', () => {
  const all = [snapshot(1, 0), snapshot(2, 1), snapshot(3, 2), snapshot(4, 3), snapshot(5, 1)];
  assert.deepEqual(
    treeOf(2, all).map((one) => one.pid),
    [2, 3, 4],
  );
});

test('open files and connections of a running process are found', async () => {
  const file = path.join(directory, 'open');
  const fd = fs.openSync(file, 'w');
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  const socket = net.connect(port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  try {
    const events = snapshotDescriptors(process.pid, `${process.pid}:1`, 3n);
    const opened = events.find((event) => event.kind === 'file_open' && event.path === file);
    assert.ok(opened?.kind === 'file_open');
    assert.deepEqual([opened.fd, opened.flags & 3, opened.origin], [fd, 1, 'inherited']);
    const sockets = events.filter((event) => event.kind === 'net_open');
    assert.ok(sockets.some((event) => event.operation === 'listen' && event.local.port === port));
    assert.ok(sockets.some((event) => event.operation === 'inherited' && event.peer.port === port));
    assert.equal(new Set(events.map((event) => event.fd)).size, events.length);
  } finally {
    socket.destroy();
    server.close();
    fs.closeSync(fd);
  }
});

test('addresses of /proc/net become text', () => {
  assert.deepEqual(parseAddress('0100007F:01BB'), { family: 'ipv4', address: '127.0.0.1', port: 443 });
  assert.deepEqual(parseAddress('00000000000000000000000001000000:0035'), { family: 'ipv6', address: '::1', port: 53 });
  assert.deepEqual(parseAddress('0000000000000000FFFF00000100007F:0050'), {
    family: 'ipv4',
    address: '127.0.0.1',
    port: 80,
  });
  assert.deepEqual(parseAddress('nonsense'), { family: 'other', address: '', port: 0 });
});

test("an agent's version is that of the package its script belongs to", () => {
  const bin = path.join(directory, 'node_modules/.bin');
  const dist = path.join(directory, 'node_modules/agent/dist');
  fs.mkdirSync(bin, { recursive: true });
  fs.mkdirSync(dist, { recursive: true });
  fs.writeFileSync(path.join(directory, 'node_modules/agent/package.json'), '{"version":"1.2.3"}');
  fs.writeFileSync(path.join(dist, 'cli.js'), '');
  fs.symlinkSync('../agent/dist/cli.js', path.join(bin, 'agent'));
  const invocation = { executable_path: '/usr/bin/node', args: ['node', 'node_modules/.bin/agent'] };
  assert.equal(readAgentVersion(process.pid, invocation, directory), '1.2.3');
  fs.writeFileSync(path.join(directory, 'node_modules/agent/package.json'), 'no json');
  assert.equal(readAgentVersion(process.pid, invocation, directory), undefined);
  const native = { executable_path: '/home/a/.local/share/claude/versions/2.1.3', args: ['claude'] };
  assert.equal(readAgentVersion(process.pid, native, directory), '2.1.3');
});
