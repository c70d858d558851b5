import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { launchHeld } from '../../src/launch.ts';
import { openWatch, PYTHON } from './watch.ts';

const watch = openWatch();
const folder = mkdtempSync(join(tmpdir(), 'undersight-process-'));
after(async () => {
  rmSync(folder, { recursive: true });
  await watch.close();
});

test('a command says what it runs, where, as whom, and whose child it is', async () => {
  const seen = await watch.run('/bin/sh', '-c', `cd ${folder} && /bin/ls "a b" '' >/dev/null 2>&1; true`);
  const exec = seen.of('process_exec').find((event) => event.args[0] === '/bin/ls');
  assert.ok(exec);
  assert.deepEqual(exec.args, ['/bin/ls', 'a b', '']);
  assert.equal(exec.executable_path, realpathSync('/bin/ls'));
  assert.equal(exec.working_directory, folder);
  assert.equal(exec.uid, process.getuid?.());
  assert.equal(exec.gid, process.getgid?.());
  assert.equal(exec.comm, 'ls');
  assert.equal(exec.parent_pid, seen.pid);
  assert.equal(exec.namespace_pid, exec.pid);
  assert.equal(exec.watched, true);
  const fork = seen.of('process_fork').find((event) => event.pid === exec.pid);
  assert.equal(fork?.process, exec.process);
  assert.equal(fork?.parent, exec.parent);
});

test('300 KB of arguments arrive whole', async () => {
  const args = Array.from({ length: 100 }, (_, index) => `${index}`.repeat(1500));
  const seen = await watch.run('/bin/true', ...args);
  assert.deepEqual(seen.of('process_exec').at(-1)?.args, ['/bin/true', ...args]);
});

test('an exit says its code, or the signal that ended the process', async () => {
  const seen = await watch.run('/bin/sh', '-c', '(exit 7); sh -c "kill -KILL \\$\\$"; exit 200');
  const ends = seen.of('process_exit').map(({ exit_code, signal }) => (signal > 0 ? `signal ${signal}` : exit_code));
  assert.deepEqual(ends, [7, 'signal 9', 200]);
});

test('threads are not processes: only the end of the last one is an exit', async () => {
  const program = `
import os, threading
def late():
    import time; time.sleep(0.05); os._exit(9)
threading.Thread(target=late).start()
threads = [threading.Thread(target=lambda: None) for _ in range(20)]
[t.start() for t in threads]; [t.join() for t in threads]
import ctypes; ctypes.CDLL(None).syscall(60, 3)`;
  const seen = await watch.run(PYTHON, '-c', program);
  assert.deepEqual(seen.of('process_fork'), []);
  assert.deepEqual(
    seen.of('process_exit').map((event) => [event.pid, event.exit_code]),
    [[seen.pid, 9]],
  );
});

test('a thread that execs keeps the process', async () => {
  const program = `
import os, threading
threading.Thread(target=lambda: os.execv('/bin/true', ['true', 'from a thread'])).start()
import time; time.sleep(5)`;
  const seen = await watch.run(PYTHON, '-c', program);
  const execs = seen.of('process_exec');
  assert.deepEqual(execs.at(-1)?.args, ['true', 'from a thread']);
  assert.equal(execs.at(-1)?.process, execs.at(-2)?.process);
  assert.equal(seen.of('process_exit').length, 1);
});

test('a process in its own pid namespace says its pid there', async () => {
  const seen = await watch.run('unshare', '--pid', '--fork', '/bin/true', 'inside');
  const exec = seen.of('process_exec').find((event) => event.args[1] === 'inside');
  assert.equal(exec?.namespace_pid, 1);
  assert.notEqual(exec?.pid, 1);
});

test('2,000 short processes in a row are all seen', async () => {
  const seen = await watch.run('/bin/sh', '-c', 'i=0; while [ $i -lt 2000 ]; do /bin/true $i; i=$((i+1)); done');
  const numbers = seen.of('process_exec').filter((event) => event.args[0] === '/bin/true');
  assert.deepEqual(
    numbers.map((event) => Number(event.args[1])),
    Array.from({ length: 2000 }, (_, index) => index),
  );
  assert.equal(seen.of('process_exit').length, 2001);
});

test('setting up io_uring is told once', async () => {
  const program = `
import ctypes
libc = ctypes.CDLL(None)
for _ in range(3):
    libc.syscall(425, 4, ctypes.create_string_buffer(120))`;
  const seen = await watch.run(PYTHON, '-c', program);
  assert.deepEqual(
    seen.of('blind_spot').map((event) => event.reason),
    ['io_uring'],
  );
});

test('system calls of the 32-bit interface are told once as what we cannot see into', async () => {
  const program = `
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes.fromhex('53b814000000cd805bc3')) # push rbx; mov eax, 20 (getpid); int 0x80; pop rbx; ret
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
call(); call()`;
  const seen = await watch.run(PYTHON, '-c', program);
  assert.deepEqual(
    seen.of('blind_spot').map((event) => event.reason),
    ['compat_syscalls'],
  );
});

test('a process that is not watched any more, and what it starts, is silent', async () => {
  const child = await launchHeld('/bin/sh', ['-c', '/bin/true; /bin/true']);
  watch.probes.watch(child.pid, 0n);
  watch.probes.unwatch(child.pid);
  watch.take();
  child.release();
  await child.exited;
  assert.deepEqual(watch.take(), []);
});
