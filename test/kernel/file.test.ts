import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openWatch, PYTHON, type Seen } from './watch.ts';

const watch = openWatch();
const folder = mkdtempSync(join(tmpdir(), 'undersight-file-'));
after(async () => {
  rmSync(folder, { recursive: true });
  await watch.close();
});

const python = (...lines: string[]) =>
  watch.run(PYTHON, '-c', ['import os', `os.chdir('${folder}')`, ...lines].join('\n'));

/** What moved through the openings of one path, in all. */
function totals(seen: Seen, path: string) {
  const ids = new Set(
    seen
      .of('file_open')
      .filter((event) => event.path === path)
      .map((event) => event.file_id),
  );
  const io = seen.of('file_io').filter((event) => ids.has(event.file_id));
  const sum = (pick: (event: (typeof io)[number]) => bigint) =>
    Number(io.reduce((total, event) => total + pick(event), 0n));
  return {
    opened: ids.size,
    read: sum((event) => event.bytes_read),
    written: sum((event) => event.bytes_written),
    reads: sum((event) => BigInt(event.read_count)),
    writes: sum((event) => BigInt(event.write_count)),
    closed: io.filter((event) => event.closed).length,
  };
}

test('a relative path is told as the absolute one, with flags, mode and whether the file is new', async () => {
  const seen = await python(
    "os.close(os.open('./new', os.O_CREAT | os.O_WRONLY, 0o640)); os.close(os.open('new', os.O_CREAT | os.O_RDWR))",
  );
  const opens = seen.of('file_open').filter((event) => event.path === join(folder, 'new'));
  assert.deepEqual(
    opens.map(({ flags, mode, errno, origin, created }) => ({ flags: flags & 0o103, mode, errno, origin, created })),
    [
      { flags: 0o101, mode: 0o100640, errno: 0, origin: 'open', created: true },
      { flags: 0o102, mode: 0o100640, errno: 0, origin: 'open', created: false },
    ],
  );
});

test('a path below a directory descriptor, through a symbolic link, is the real one', async () => {
  const seen = await python(
    "os.makedirs('d/e'); os.symlink('d', 'link'); at = os.open('link', os.O_DIRECTORY)",
    "os.open('e/../e/f', os.O_CREAT | os.O_WRONLY, dir_fd=at)",
  );
  assert.ok(seen.of('file_open').some((event) => event.path === join(folder, 'd/e/f')));
});

test('an opening that fails is told with the path that was asked for', async () => {
  const seen = await python(
    "at = os.open('/usr', os.O_DIRECTORY)",
    'for path, options in (("none", {}), ("bin/none", {"dir_fd": at}), ("/none/at/all", {})):',
    '    try: os.open(path, os.O_RDONLY, **options)',
    '    except FileNotFoundError: pass',
  );
  const failed = seen.of('file_open').filter((event) => event.path.includes('none'));
  assert.deepEqual(
    failed.map(({ path, errno, file_id }) => [path, errno, file_id]),
    [
      [join(folder, 'none'), 2, 0n],
      ['/usr/bin/none', 2, 0n],
      ['/none/at/all', 2, 0n],
    ],
  );
});

test('bytes are counted whatever call moves them', async () => {
  const path = join(folder, 'bytes');
  const seen = await python(
    "f = os.open('bytes', os.O_CREAT | os.O_RDWR)",
    "os.write(f, b'x' * 10); os.pwrite(f, b'x' * 20, 10); os.writev(f, [b'x' * 30, b'x' * 40]); os.pwritev(f, [b'x' * 50], 0)",
    'os.lseek(f, 0, 0); os.read(f, 1); os.pread(f, 2, 0); os.readv(f, [bytearray(3)]); os.preadv(f, [bytearray(4)], 0)',
    "g = os.open('copy', os.O_CREAT | os.O_RDWR); os.sendfile(g, f, 0, 5); os.copy_file_range(f, g, 6, 0); os.close(f)",
  );
  assert.deepEqual(totals(seen, path), { opened: 1, read: 21, written: 150, reads: 6, writes: 4, closed: 1 });
  assert.deepEqual(totals(seen, join(folder, 'copy')), {
    opened: 1,
    read: 0,
    written: 11,
    reads: 0,
    writes: 2,
    closed: 1,
  });
});

test('a duplicated descriptor, and one that a child inherits, is told at its first use', async () => {
  const path = join(folder, 'shared');
  const seen = await watch.run('/bin/sh', '-c', `/bin/echo hello > ${path}; exec 5< ${path}; /bin/cat <&5 > /dev/null`);
  const opens = seen.of('file_open').filter((event) => event.path === path);
  assert.deepEqual(opens.map((event) => event.origin).sort(), ['inherited', 'inherited', 'open', 'open']);
  assert.equal(totals(seen, path).written, 6);
  assert.equal(totals(seen, path).read, 6);
});

test('a descriptor ends by close, close_range, dup2, exec or exit, once', async () => {
  const names = ['close', 'range', 'dup2', 'exec', 'exit'];
  const seen = await python(
    ...names.map((name) => `${name} = os.open('end-${name}', os.O_CREAT | os.O_WRONLY)`),
    'os.set_inheritable(exit, True)',
    'os.close(close); os.closerange(range, range + 1); os.dup2(exit, dup2)',
    "os.execv('/bin/true', ['true'])",
  );
  for (const name of names) assert.equal(totals(seen, join(folder, `end-${name}`)).closed, 1, name);
  const execAt = seen.all.findIndex((event) => event.kind === 'process_exec' && event.args[0] === 'true');
  const [exec, exit] = ['exec', 'exit'].map((name) => {
    const opened = seen.of('file_open').find((event) => event.path === join(folder, `end-${name}`));
    return seen.all.findIndex((event) => event.kind === 'file_io' && event.closed && event.file_id === opened?.file_id);
  });
  // Its record was filled in before, with all its arguments.
  assert.equal(exec, execAt + 1);
  assert.ok((exit ?? 0) > (exec ?? 0));
});

test('a descriptor with a high number ends when it is closed, or with the process, like any other', async () => {
  const seen = await python(
    'import resource; top = resource.getrlimit(resource.RLIMIT_NOFILE)[1]; assert top > 8192, top',
    'resource.setrlimit(resource.RLIMIT_NOFILE, (top, top))',
    "for name, fd in (('closed', top - 1), ('left', top - 2)):",
    "    f = os.open(f'high-{name}', os.O_CREAT | os.O_WRONLY); os.dup2(f, fd); os.close(f); os.write(fd, b'xyz')",
    'os.closerange(top - 1, top + 1); os.closerange(100, 110)',
    "os.close(os.open('high-mark', os.O_CREAT | os.O_WRONLY))",
  );
  const mark = seen.all.findIndex((event) => event.kind === 'file_open' && event.path === join(folder, 'high-mark'));
  for (const [name, is_before] of [
    ['closed', true],
    ['left', false],
  ] as const) {
    const { written, closed } = totals(seen, join(folder, `high-${name}`));
    assert.deepEqual({ written, closed }, { written: 3, closed: 2 }, name);
    const high = seen.of('file_open').findLast((event) => event.path === join(folder, `high-${name}`));
    const end = seen.all.findIndex(
      (event) => event.kind === 'file_io' && event.closed && event.file_id === high?.file_id,
    );
    assert.equal(end < mark, is_before, name);
  }
});

test('pipes, event descriptors and nameless sockets are not files', async () => {
  const seen = await python(
    "r, w = os.pipe(); os.write(w, b'x'); os.read(r, 1); e = os.eventfd(0); os.eventfd_write(e, 1); os.eventfd_read(e)",
    "import socket; a, b = socket.socketpair(); a.send(b'x'); b.recv(1)",
  );
  const inherited = seen.of('file_open').filter((event) => event.origin === 'inherited');
  assert.deepEqual(
    inherited.filter((event) => !/^\/dev\//.test(event.path)),
    [],
  );
  assert.deepEqual(seen.of('net_open'), []);
});

test('changes of the name space are told with full paths', async () => {
  const seen = await python(
    "os.mkdir('m'); open('m/a', 'w').close(); at = os.open('m', os.O_DIRECTORY)",
    "os.rename('m/a', 'm/b'); os.rename('b', 'c', src_dir_fd=at, dst_dir_fd=at); os.link('m/c', 'm/hard'); os.symlink('../x', 'm/soft')",
    "os.truncate('m/c', 5); f = os.open('m/c', os.O_RDWR); os.ftruncate(f, 1); os.mkdir('sub', dir_fd=at)",
    "os.unlink('c', dir_fd=at); os.unlink('m/hard'); os.unlink('m/soft'); os.rmdir('m/sub')",
    "try: os.rmdir('/')",
    'except OSError: pass',
    "os.rmdir('sub', dir_fd=at) if os.path.exists('m/sub') else None; os.rmdir('m')",
  );
  const m = (name: string) => join(folder, 'm', name);
  assert.deepEqual(
    seen.of('file_change').map(({ operation, path, new_path, errno }) => [operation, path, new_path, errno]),
    [
      ['mkdir', join(folder, 'm'), undefined, 0],
      ['rename', m('a'), m('b'), 0],
      ['rename', m('b'), m('c'), 0],
      ['link', m('c'), m('hard'), 0],
      ['symlink', '../x', m('soft'), 0],
      ['truncate', m('c'), undefined, 0],
      ['truncate', m('c'), undefined, 0],
      ['mkdir', m('sub'), undefined, 0],
      ['unlink', m('c'), undefined, 0],
      ['unlink', m('hard'), undefined, 0],
      ['unlink', m('soft'), undefined, 0],
      ['rmdir', m('sub'), undefined, 0],
      ['rmdir', '/', undefined, 16],
      ['rmdir', join(folder, 'm'), undefined, 0],
    ],
  );
});

test('files below a mount, deleted ones and deep ones have their whole path', async () => {
  const deep = Array.from({ length: 40 }, (_, index) => `component-${index}`).join('/');
  const seen = await python(
    `os.makedirs('${deep}'); os.open('${deep}/leaf', os.O_CREAT | os.O_WRONLY)`,
    "f = open('gone', 'w'); os.unlink('gone'); os.write(os.dup(f.fileno()), b'x')",
    "open('/dev/shm/undersight-test', 'w').close(); os.unlink('/dev/shm/undersight-test'); open('/proc/self/status').read()",
  );
  const paths = seen.of('file_open').map((event) => event.path);
  for (const path of [
    join(folder, deep, 'leaf'),
    join(folder, 'gone'),
    '/dev/shm/undersight-test',
    `/proc/${seen.pid}/status`,
  ])
    assert.ok(paths.includes(path), path);
  assert.equal(paths.filter((path) => path === join(folder, 'gone')).length, 2);
});

test('files in memory, and programs that run from there, are told by their names', async () => {
  const seen = await python(
    "f = os.memfd_create('tool', 0); os.write(f, open('/bin/true', 'rb').read()); os.listdir('/')",
    'if os.fork() == 0: os.execve(f, ["true"], {})',
    'os.wait()',
  );
  const paths = seen.of('file_open').map(({ path }) => path);
  assert.ok(paths.includes('memfd:tool'));
  assert.ok(paths.includes('/'));
  assert.equal(seen.of('process_exec').at(-1)?.executable_path, 'memfd:tool');
});

test('what moves for long is told while it moves', async () => {
  const seen = await python(
    "import time; f = os.open('slow', os.O_CREAT | os.O_WRONLY)",
    "for _ in range(25): os.write(f, b'x' * 100); time.sleep(0.1)",
  );
  const id = seen.of('file_open').find((event) => event.path === join(folder, 'slow'))?.file_id;
  const io = seen.of('file_io').filter((event) => event.file_id === id);
  assert.ok(io.length >= 3);
  assert.deepEqual(
    io.map((event) => event.closed),
    io.map((_, index) => index === io.length - 1),
  );
  assert.equal(totals(seen, join(folder, 'slow')).written, 2500);
});

test('50,000 openings are all told', async () => {
  writeFileSync(join(folder, 'many'), 'x');
  const seen = await python("for _ in range(50000): os.close(os.open('many', os.O_RDONLY))");
  assert.deepEqual(totals(seen, join(folder, 'many')), {
    opened: 50000,
    read: 0,
    written: 0,
    reads: 0,
    writes: 0,
    closed: 50000,
  });
});
