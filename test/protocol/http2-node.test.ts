import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2, { type ClientHttp2Session, type ServerHttp2Stream } from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutAt } from './cuts.ts';
import { recordExchanges } from './exchange-recorder.ts';

interface Tapped {
  readonly direction: 'write' | 'read';
  readonly data: Buffer;
}

/** What a Node client and a Node server say to each other on loopback, in the order in which it passed between them. */
async function tap(
  serve: (stream: ServerHttp2Stream, path: string) => void,
  talk: (client: ClientHttp2Session) => Promise<void>,
): Promise<readonly Tapped[]> {
  const tapped: Tapped[] = [];
  const server = http2.createServer({ settings: { headerTableSize: 8192, maxFrameSize: 1 << 20 } });
  server.on('stream', (stream, headers) => serve(stream, headers[':path'] ?? ''));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = net.createServer((near) => {
    const far = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    near.on('data', (data) => {
      tapped.push({ direction: 'write', data });
      far.write(data);
    });
    far.on('data', (data) => {
      tapped.push({ direction: 'read', data });
      near.write(data);
    });
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    for (const socket of [near, far]) socket.on('error', () => socket.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const client = http2.connect(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  try {
    await talk(client);
    client.close();
    await once(client, 'close');
  } finally {
    client.destroy();
    proxy.close();
    server.close();
  }
  return tapped;
}

async function post(client: ClientHttp2Session, path: string, body: string): Promise<string> {
  const headers = { ':method': 'POST', ':path': path, authorization: 'Bearer x', 'user-agent': 'agent/1' };
  const stream = client.request(headers);
  stream.end(body);
  let answer = '';
  for await (const data of stream) answer += data;
  return answer;
}

function read(tapped: readonly Tapped[], cut: (data: Buffer) => readonly Uint8Array[]): readonly string[] {
  const recorder = recordExchanges();
  for (const { direction, data } of tapped) {
    for (const piece of cut(data)) recorder.connection[direction](piece, 1);
  }
  recorder.connection.close(2);
  assert.deepEqual([...recorder.counts], []);
  return recorder.exchanges();
}

/** Answers with what was asked, and says the path in a trailer. */
function echo(stream: ServerHttp2Stream, path: string): void {
  stream.respond({ ':status': path === '/busy' ? 529 : 200, 'x-path': path }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': path }));
  stream.pipe(stream);
}

test('what Node’s client and server say is read: in sequence, at the same time, with trailers and repeated fields', async () => {
  const paths = ['/1', '/2', '/1', '/busy', '/busy'];
  const tapped = await tap(echo, async (client) => {
    for (const path of paths) assert.equal(await post(client, path, `in ${path}`), `in ${path}`);
    await Promise.all(paths.map((path) => post(client, path, `together ${path}`)));
  });
  const expected = ['in', 'together'].flatMap((how) =>
    paths.map((path) => {
      const body = `"${how} ${path}"`;
      return `POST ${path} ${body} -> ${path === '/busy' ? 529 : 200} ${body} whole`;
    }),
  );
  assert.deepEqual(
    read(tapped, (data) => [data]),
    expected,
  );
  assert.deepEqual(
    read(tapped, (data) => cutAt(data, [...data.keys()])),
    expected,
  );
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 300 }), { maxLength: 10 }), (positions) => {
      const cut = (data: Buffer) =>
        cutAt(
          data,
          positions.filter((position) => position < data.length),
        );
      assert.deepEqual(read(tapped, cut), expected);
    }),
    { numRuns: 40 },
  );
});

test('of what Node’s client and server say, what is told without a mark is true, whatever is missing', async () => {
  const paths = ['/1', '/2', '/1', '/busy', '/2', '/busy'];
  const tapped = await tap(echo, async (client) => {
    for (const path of paths) await post(client, path, `in ${path}`);
  });
  const total_bytes = tapped.reduce((sum, { data }) => sum + data.length, 0);
  const truth = new Set(
    paths.map((path) => `POST ${path} "in ${path}" -> ${path === '/busy' ? 529 : 200} "in ${path}" whole`),
  );
  /** `is_told`: a gap; else we joined after it. */
  const readWithout = (from: number, bytes: number, is_told: boolean): readonly string[] => {
    const { connection, exchanges } = recordExchanges();
    let position = 0;
    for (const { direction, data } of tapped) {
      const begin = Math.max(0, Math.min(data.length, from - position));
      const end = Math.max(0, Math.min(data.length, from + bytes - position));
      position += data.length;
      if (begin > 0) connection[direction](data.subarray(0, begin), 1);
      if (is_told && end > begin) connection[`${direction}Gap`](end - begin, 1);
      if (end < data.length) connection[direction](data.subarray(end), 1);
    }
    connection.close(2);
    return exchanges();
  };
  const isMarked = (line: string): boolean => /<\d+>/.test(line);
  let told = 0;
  for (let joined_at = 1; joined_at < total_bytes; joined_at += 5) {
    for (const line of readWithout(0, joined_at, false)) {
      assert.ok(truth.has(line) || isMarked(line), line);
      told++;
    }
  }
  assert.ok(told > 0);
  fc.assert(
    fc.property(fc.nat({ max: total_bytes - 1 }), fc.integer({ min: 1, max: 200 }), (from, bytes) => {
      for (const line of readWithout(from, bytes, true)) assert.ok(truth.has(line) || isMarked(line), line);
    }),
    { numRuns: 200 },
  );
});

test('what Node’s client and server say is read: bodies of 5 MB both ways', async () => {
  const body = 'abcdefghij'.repeat(500_000);
  const tapped = await tap(echo, async (client) => {
    assert.equal((await post(client, '/large', body)).length, body.length);
  });
  const [exchange, ...more] = read(tapped, (data) => [data]);
  assert.ok(exchange === `POST /large "${body}" -> 200 "${body}" whole`);
  assert.deepEqual(more, []);
});

test('what Node’s client and server say is read: a stream that either side gives up', async () => {
  const tapped = await tap(
    (stream, path) => {
      stream.on('error', () => {});
      stream.respond({ ':status': 200 });
      stream.write('half', () => {
        if (path === '/reset') stream.destroy(new Error('broken'));
      });
    },
    async (client) => {
      const given_up = client.request({ ':method': 'POST', ':path': '/reset' }).on('error', () => {});
      given_up.resume().end('x');
      await new Promise((resolve) => given_up.once('close', resolve));
      const stream = client.request({ ':path': '/cancelled' });
      stream.resume();
      await once(stream, 'data');
      stream.close(http2.constants.NGHTTP2_CANCEL);
      await once(stream, 'close');
    },
  );
  assert.deepEqual(
    read(tapped, (data) => [data]),
    [
      'POST /reset "x" -> 200 "half" cut (the server reset the stream (INTERNAL_ERROR))',
      'GET /cancelled "" -> 200 "half" cut (the client cancelled the stream (CANCEL))',
    ],
  );
});
