import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createCounters } from '../../src/health/counters.ts';
import type { Event, PlainDataEvent } from '../../src/model/event.ts';
import { createPipeTellers } from '../../src/order/pipe-tellers.ts';
import { openWatch, PYTHON, type Seen, seenOf } from './watch.ts';

const watch = openWatch();
const folder = mkdtempSync(join(tmpdir(), 'undersight-pipes-'));
after(async () => {
  rmSync(folder, { recursive: true });
  await watch.close();
});

const python = (program: string) => watch.run(PYTHON, '-c', `import os, socket, subprocess, sys\n${program}`);
const INITIALIZE = '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}\n';

/** What is told once the stage that settles who tells was through it. */
function told(seen: Seen) {
  const events: Event[] = [];
  const tellers = createPipeTellers({ counters: createCounters() }, { push: (event) => events.push(event) });
  for (const event of [...seen.all].sort((a, b) => Number(a.ktime_ns - b.ktime_ns))) tellers.push(event);
  tellers.close?.();
  const data = events.filter((event) => event.kind === 'plain_data');
  const ends = events.filter((event) => event.kind === 'pipe_end');
  return { data, ends };
}

const text = (parts: readonly PlainDataEvent[]) => Buffer.concat(parts.map((part) => part.data)).toString();

/** A server of tools: answers each line with `result`. */
const server = join(folder, 'server.py');
writeFileSync(
  server,
  `
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    print(json.dumps({'result': {'text': 'x' * message.get('params', {}).get('chars', 1)}, 'jsonrpc': '2.0', 'id': message['id']}), flush=True)`,
);

function checkDialogue(seen: Seen) {
  const { data, ends } = told(seen);
  assert.deepEqual([...new Set(data.map(({ channel, direction }) => `${channel} ${direction}`))], ['pipe write']);
  const streams = [...new Set(data.map(({ stream_id }) => stream_id))];
  assert.equal(streams.length, 2);
  const [question, answer] = streams.map((id) => data.filter(({ stream_id }) => stream_id === id));
  assert.ok(question && answer);
  const child = seen.of('process_fork')[0]?.pid;
  assert.ok(question.every(({ pid }) => pid === seen.pid));
  assert.ok(answer.every(({ pid }) => pid === child));
  assert.equal(text(question), `${INITIALIZE}${INITIALIZE.replace('{}', '{"chars":100000}')}`);
  assert.deepEqual(
    text(answer)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).result.text.length),
    [1, 100000],
  );
  for (const parts of [question, answer]) {
    let offset = 0n;
    for (const part of parts) {
      assert.equal(part.offset, offset);
      offset += BigInt(part.data.length);
    }
  }
  const readers = ends.filter(({ state }) => state === 'reader');
  assert.deepEqual(
    readers.map(({ stream_id, pid }) => [stream_id, pid]),
    [
      [question[0]?.stream_id, child],
      [answer[0]?.stream_id, seen.pid],
    ],
  );
  assert.ok(
    ends.some(
      ({ state, stream_id, pid }) => state === 'closed' && stream_id === question[0]?.stream_id && pid === seen.pid,
    ),
  );
}

test('a client and its server talk through pipes: both directions are told, once, by who writes', async () => {
  checkDialogue(
    await python(`
child = subprocess.Popen([sys.executable, '${server}'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for line in [${JSON.stringify(INITIALIZE)}, ${JSON.stringify(INITIALIZE.replace('{}', '{"chars":100000}'))}]:
    child.stdin.write(line); child.stdin.flush(); child.stdout.readline()
child.stdin.close(); child.wait()`),
  );
});

test('so do a client in Node and its server, through pairs of sockets', async () => {
  const lines = JSON.stringify([INITIALIZE, INITIALIZE.replace('{}', '{"chars":100000}')]);
  const program = `
    const child = require('node:child_process').spawn('${PYTHON}', ['${server}'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = ${lines};
    child.stdin.write(lines.shift());
    child.stdout.on('data', (data) => {
      if (!data.includes(10)) return;
      if (lines.length > 0) child.stdin.write(lines.shift());
      else child.stdin.end();
    });`;
  checkDialogue(await watch.run(process.execPath, '-e', program));
});

test('messages with a Content-Length before them are told, and so is one whose "jsonrpc" comes last', async () => {
  for (const message of [
    'Content-Length: 15\r\n\r\n{"jsonrpc":"2"}',
    `{"result":{"tools":"${'t'.repeat(5000)}"},"jsonrpc":"2.0","id":1}\n`,
  ]) {
    const seen = await python(`r, w = os.pipe(); os.write(w, ${JSON.stringify(message)}.encode()); os.read(r, 9000)`);
    assert.equal(text(told(seen).data), message);
  }
});

test('a server that first says something else on its output is read from its first message on', async () => {
  const seen = await python(`
r, w = os.pipe()
for line in ['Starting\\n', 'Ready\\n', ${JSON.stringify(INITIALIZE)}]: os.write(w, line.encode())`);
  assert.equal(text(told(seen).data), INITIALIZE);
});

test('what a build moves through its pipes is not told', async () => {
  writeFileSync(join(folder, 'rows.json'), '{"id": 1, "method": "x"}\n'.repeat(3000));
  const seen = await watch.run('sh', '-c', `cat ${folder}/rows.json | grep id | sort | wc -l; seq 100000 | tail -1`);
  assert.deepEqual(seen.of('plain_data'), []);
  assert.deepEqual(seen.of('pipe_end'), []);
});

test('who reads tells, when who writes is not watched', async () => {
  const child = spawn(PYTHON, ['-c', 'import sys\nfor line in sys.stdin: print("got", len(line), flush=True)'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  watch.probes.watch(child.pid ?? 0, 0n);
  for (let count = 0; count < 2; count++) {
    child.stdin.write(INITIALIZE);
    await once(child.stdout, 'data');
  }
  child.stdin.end();
  await once(child, 'exit');
  const { data } = told(seenOf(child.pid ?? 0, watch.take()));
  assert.equal(text(data), INITIALIZE + INITIALIZE);
  assert.ok(data.every(({ direction, pid }) => direction === 'read' && pid === child.pid));
});

test('descriptors that are handed over, or copied, are told as the same pipe', async () => {
  const seen = await python(`
a, b = socket.socketpair(); r, w = os.pipe()
socket.send_fds(a, [b'x'], [w]); _, (got,), _, _ = socket.recv_fds(b, 1, 1)
os.write(w, ${JSON.stringify(INITIALIZE)}.encode()); os.write(got, ${JSON.stringify(INITIALIZE)}.encode()); os.write(os.dup(w), b'{}\\n')`);
  const { data } = told(seen);
  assert.equal(new Set(data.map(({ stream_id }) => stream_id)).size, 1);
  assert.deepEqual(
    data.map(({ offset }) => Number(offset)),
    [0, INITIALIZE.length, 2 * INITIALIZE.length],
  );
});

test('mcp_stdio: false tells nothing of pipes, plain_http: false nothing of sockets', async () => {
  const silent = openWatch({ mcp_stdio: false, plain_http: false });
  const seen = await silent.run(
    PYTHON,
    '-c',
    `import os, socket
r, w = os.pipe(); os.write(w, ${JSON.stringify(INITIALIZE)}.encode())
s = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(s.getsockname()); c.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n')`,
  );
  await silent.close();
  assert.deepEqual(seen.of('plain_data'), []);
});
