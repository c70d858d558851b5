import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { parseTlsClientHello } from '../../src/protocol/tls-client-hello.ts';

/** What Node's own TLS client sends first. */
async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connect({ host: '127.0.0.1', port, servername: 'api.example.com', ALPNProtocols: ['h2', 'http/1.1'] });
  client.on('error', () => {});
  const [socket] = await once(server, 'connection');
  const [first] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  server.close();
  return first;
}

const HELLO = await clientHello();
const EXPECTED = { server_name: 'api.example.com', alpn: ['h2', 'http/1.1'] };

test('the name and the protocols a real client asks for', () => {
  assert.deepEqual(parseTlsClientHello(HELLO), EXPECTED);
});

test('a ClientHello in several records', () => {
  const payload = HELLO.subarray(5);
  const records = [payload.subarray(0, 50), payload.subarray(50)].map((fragment) =>
    Buffer.concat([Buffer.from([22, 3, 1, fragment.length >> 8, fragment.length & 255]), fragment]),
  );
  assert.deepEqual(parseTlsClientHello(Buffer.concat(records)), EXPECTED);
});

test('other bytes are none', () => {
  for (const text of ['', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x00\x04\x02\x00\x00\x00']) {
    assert.equal(parseTlsClientHello(Buffer.from(text, 'latin1')), undefined);
  }
});

test('one that is cut short, or damaged, gives what it has and throws nothing', () => {
  for (let length = 0; length < HELLO.length; length++) {
    const hello = parseTlsClientHello(HELLO.subarray(0, length));
    assert.ok([undefined, 'api.example.com'].includes(hello?.server_name), `${length} bytes`);
  }
  fc.assert(
    fc.property(fc.nat({ max: HELLO.length - 1 }), fc.uint8Array({ maxLength: 8 }), (at, noise) => {
      const damaged = Buffer.from(HELLO);
      damaged.set(noise.subarray(0, damaged.length - at), at);
      parseTlsClientHello(damaged);
    }),
    { numRuns: 200 },
  );
});
