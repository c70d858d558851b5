import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { describe, test } from 'node:test';
import { connect } from 'node:tls';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { createByteStream } from '../../src/protocol/byte-stream.ts';
import { decodeContent } from '../../src/protocol/content-coding.ts';
import { parseDnsAnswer } from '../../src/protocol/dns.ts';
import { createHpackDecoder } from '../../src/protocol/hpack.ts';
import { createHttpConnection } from '../../src/protocol/http-connection.ts';
import { createSseReader } from '../../src/protocol/sse.ts';
import { parseTlsClientHello } from '../../src/protocol/tls-client-hello.ts';
import { createWebSocket } from '../../src/protocol/websocket.ts';
import { HPACK_EXAMPLES } from '../protocol/hpack-examples.ts';
import { damagedBytes, pieces } from './damaged-bytes.ts';
import { fuzzBudget } from './fuzz-budget.ts';
import { recordTraffic } from './recorded-traffic.ts';

const RUNS = 300;
const SHARE = 1 / 8;
const MAX_BYTES = 20_000;
const recordings = await recordTraffic();
const hello = await clientHello();
const sides = (direction: 'write' | 'read', name: RegExp): Buffer[] =>
  recordings
    .filter((recording) => name.test(recording.name))
    .map((recording) =>
      Buffer.concat(recording.pieces.filter((piece) => piece.direction === direction).map(({ data }) => data)),
    );
/** Behind the heads of an upgrade. */
const behindHead = (bytes: Buffer): Buffer => bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);

function fuzz(name: string, arbitrary: fc.Arbitrary<unknown>, run: (value: never) => void): void {
  test(name, () => {
    fc.assert(
      fc.property(arbitrary, (value) => run(value as never)),
      fuzzBudget(RUNS, SHARE),
    );
  });
}

describe('nothing throws, whatever it reads', () => {
  for (const version of ['HTTP/1.1', 'HTTP/2', 'WebSocket']) {
    const name = new RegExp(`^${version}`);
    const written = pieces(damagedBytes(sides('write', name)));
    const read = pieces(damagedBytes(sides('read', name)));
    fuzz(
      `a connection that speaks ${version}`,
      fc.tuple(written, read),
      ([sent, received]: [(Uint8Array | number)[], (Uint8Array | number)[]]) => {
        let open = 0;
        const connection = createHttpConnection<number>({
          max_streams: 64,
          request() {
            open++;
            return {
              requestBody() {},
              requestGap() {},
              requestEnd() {},
              responseHead() {},
              responseBody() {},
              responseGap() {},
              responseMalformed() {},
              responseEnd: () => void open--,
            };
          },
          upgrade: () => undefined,
          protocol() {},
          skipped() {},
          lost() {},
          counted() {},
        });
        for (let at = 0; at < Math.max(sent.length, received.length); at++) {
          const [w, r] = [sent[at], received[at]];
          if (typeof w === 'number') connection.writeGap(w, at);
          else if (w !== undefined) connection.write(w, at);
          if (typeof r === 'number') connection.readGap(r, at);
          else if (r !== undefined) connection.read(r, at);
        }
        connection.close(0);
        assert.equal(open, 0, 'each request that began ends');
      },
    );
  }

  const messages = pieces(damagedBytes(sides('read', /^WebSocket/).map(behindHead)));
  fuzz(
    'a WebSocket',
    fc.tuple(messages, fc.boolean()),
    ([received, is_compressed]: [(Uint8Array | number)[], boolean]) => {
      let held_bytes = 0;
      const headers = new Map(is_compressed ? [['sec-websocket-extensions', 'permessage-deflate']] : []);
      const socket = createWebSocket<number>(
        {
          response: { kind: 'response', status: 101, reason: '', headers },
          max_message_bytes: MAX_BYTES,
          collect() {
            let kept: Uint8Array[] = [];
            let bytes = 0;
            const release = (): void => {
              held_bytes -= bytes;
              bytes = 0;
              kept = [];
            };
            return {
              add(data) {
                if (bytes + data.length > MAX_BYTES) release();
                else {
                  kept.push(data);
                  bytes += data.length;
                  held_bytes += data.length;
                }
                return bytes > 0 || data.length === 0;
              },
              joined: () => Buffer.concat(kept),
              release,
            };
          },
        },
        {
          message: (_side, { data }) => assert.ok(data.length <= MAX_BYTES),
          damaged() {},
          closed() {},
          skipped() {},
          ended() {},
        },
      );
      for (const piece of received) {
        if (typeof piece === 'number') socket.readGap(piece, 0);
        else socket.read(piece, 0);
        assert.ok(held_bytes <= MAX_BYTES);
      }
      socket.close(0);
      assert.equal(held_bytes, 0, 'what was held is given back');
    },
  );

  const blocks = HPACK_EXAMPLES.flatMap((example) =>
    example.blocks.map(({ hex }) => Buffer.from(hex.replaceAll(' ', ''), 'hex')),
  );
  const several = fc.array(damagedBytes(blocks), { maxLength: 8 });
  fuzz('HPACK', fc.tuple(several, fc.boolean()), ([given, joined]: [Uint8Array[], boolean]) => {
    const decoder = createHpackDecoder(joined);
    for (const block of given) decoder.decode(block);
  });

  const events = 'event: a\ndata: {"x":1}\n\n: note\nid: 7\ndata: two\ndata: lines\r\n\r\ndata: [DONE]\n\n';
  fuzz('server-sent events', pieces(damagedBytes([Buffer.from(events)])), (given: (Uint8Array | number)[]) => {
    const reader = createSseReader({
      max_event_chars: 200,
      event: ({ data }) => assert.ok(data.length <= 10_000),
      tooLarge() {},
    });
    for (const piece of given) {
      if (typeof piece === 'number') reader.gap();
      else reader.push(piece);
    }
    reader.end();
  });

  const plain = Buffer.from('{"text":"what a text, what a text"}'.repeat(40));
  const packed: Readonly<Record<string, Buffer>> = {
    gzip: zlib.gzipSync(plain),
    deflate: zlib.deflateSync(plain),
    br: zlib.brotliCompressSync(plain),
    zstd: zlib.zstdCompressSync(plain),
  };
  const coded = fc
    .constantFrom(...Object.keys(packed))
    .chain((coding) =>
      fc.tuple(
        fc.array(fc.constantFrom(coding, 'gzip', 'br'), { minLength: 1, maxLength: 2 }),
        damagedBytes([packed[coding] as Buffer]),
      ),
    );
  fuzz('content codings', coded, ([codings, bytes]: [string[], Uint8Array]) => {
    const { data } = decodeContent(Buffer.from(bytes), codings, MAX_BYTES);
    assert.ok(data.length <= Math.max(MAX_BYTES, bytes.length));
  });

  const answer = Buffer.from(
    '123481800001000200000000036170690765786' +
      '16d706c6503636f6d0000010001c00c000500010000003c00060363646ec00cc00c000100010000003c00040a000001',
    'hex',
  );
  test('what a client says first, and the answers of name servers', () => {
    assert.equal(parseDnsAnswer(answer)?.name, 'api.example.com');
    fc.assert(
      fc.property(damagedBytes([hello]), damagedBytes([answer]), (client, server) => {
        parseTlsClientHello(client);
        parseDnsAnswer(server);
      }),
      fuzzBudget(RUNS, SHARE),
    );
  });

  const offsets = fc.array(fc.tuple(fc.bigInt({ min: 0n, max: 3000n }), fc.nat(300), fc.nat(50), fc.boolean()), {
    maxLength: 60,
  });
  fuzz('a stream whose pieces come in any order', offsets, (given: [bigint, number, number, boolean][]) => {
    let position = 0n;
    const stream = createByteStream(
      { max_held_bytes: 1000, max_held_pieces: 8, dropped() {} },
      {
        data(data) {
          position += BigInt(data.length);
        },
        gap(bytes) {
          position += BigInt(bytes);
        },
      },
    );
    for (const [offset, length, lost_bytes, flushes] of given) {
      stream.push({ offset, data: new Uint8Array(length), lost_bytes, ktime_ns: offset });
      if (flushes) stream.flush(offset);
      assert.equal(position, stream.end_offset);
    }
  });
});

/** What Node's own TLS client sends first. */
async function clientHello(): Promise<Buffer> {
  const [near, far] = duplexPair();
  const client = connect({ socket: near, servername: 'api.example.com', ALPNProtocols: ['h2', 'http/1.1'] });
  client.on('error', () => undefined);
  const [first] = await far.take(1).toArray();
  client.destroy();
  return first as Buffer;
}
