import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SUBMIT_TO_IO_URING } from './io-uring.ts';
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

/** Opens files, and ends its last two threads at the same moment, on two processors; again and again. */
const END_TOGETHER = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int ready;
static void *end(void *cpu) {
  cpu_set_t one; CPU_ZERO(&one); CPU_SET((long)cpu, &one); sched_setaffinity(0, sizeof one, &one);
  for (__sync_fetch_and_add(&ready, 1); ready < 2;);
  syscall(SYS_exit, 0);
  return 0;
}
int main(int argc, char **argv) {
  for (int round = 0; round < 200; round++) {
    if (fork()) { wait(0); continue; }
    for (int file = 0; file < 50; file++) open(argv[1], O_CREAT | O_WRONLY, 0600);
    pthread_t thread;
    pthread_create(&thread, 0, end, (void *)1);
    end(0);
  }
}`;

test('when the last threads end at the same moment, every descriptor ends once, before the process', async () => {
  const program = join(folder, 'end-together');
  execFileSync('clang', ['-x', 'c', '-', '-o', program, '-lpthread'], { input: END_TOGETHER });
  const path = join(folder, 'left-open');
  const seen = await watch.run(program, path);
  const opened = new Set(seen.of('file_open').flatMap((event) => (event.path === path ? [event.file_id] : [])));
  assert.equal(opened.size, 200 * 50);
  assert.equal(seen.of('process_exit').length, 201);
  const exited = new Set<string>();
  const closed: bigint[] = [];
  for (const event of seen.all) {
    if (event.kind === 'process_exit') exited.add(event.process);
    if (event.kind !== 'file_io' || !event.closed || !opened.has(event.file_id)) continue;
    assert.ok(!exited.has(event.process), 'told after the exit');
    closed.push(event.file_id);
  }
  assert.equal(closed.length, opened.size);
  assert.equal(new Set(closed).size, opened.size);
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

test('a file opened through io_uring is told once as what we cannot see into, waiting through it is not', async () => {
  const [NOP, OPENAT] = [0, 18];
  const waiting = await watch.run(PYTHON, '-c', `${SUBMIT_TO_IO_URING}\nfor _ in range(9): submit(${NOP})`);
  assert.deepEqual(waiting.of('blind_spot'), []);
  const opening = await watch.run(PYTHON, '-c', `${SUBMIT_TO_IO_URING}\nfor _ in range(9): submit(${OPENAT})`);
  assert.deepEqual(
    opening.of('blind_spot').map((event) => event.reason),
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
