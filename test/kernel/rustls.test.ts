import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import tls from 'node:tls';
import { createHalfConnections } from '../../src/exchange/half-connections.ts';
import { createCounters } from '../../src/health/counters.ts';
import type { TlsDataEvent } from '../../src/model/event.ts';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { createCertificate } from '../mock-llm/certificate.ts';
import { buildRustlsClient } from './rustls-client.ts';
import { openWatch, type Seen } from './watch.ts';

const built = buildRustlsClient();
const skip = 'skip' in built && built.skip;

/** What a socket carried in each direction, by socket. Fails when a byte is missing, or belongs to no socket. */
function plaintextOf(seen: Seen): Map<bigint, Record<TlsDataEvent['direction'], string>> {
  const streams = new Map<bigint, Record<TlsDataEvent['direction'], string>>();
  const counters = createCounters();
  const halves = createHalfConnections({
    max_halves: 100,
    counters,
    ended: () => {},
    route({ socket_id, direction, data, offset, lost_bytes }) {
      const stream = streams.get(socket_id) ?? { write: '', read: '' };
      streams.set(socket_id, stream);
      assert.equal(offset, BigInt(stream[direction].length));
      assert.equal(lost_bytes, 0);
      stream[direction] += Buffer.from(data).toString('latin1');
    },
  });
  const events = [...seen.of('tls_data'), ...seen.of('tls_binding')];
  for (const event of events.sort((a, b) => (a.ktime_ns < b.ktime_ns ? -1 : 1))) {
    if (event.kind === 'tls_data') halves.push(event);
    else halves.bind(event);
  }
  halves.close();
  assert.deepEqual(counters.entries(), []);
  return streams;
}

describe('a program that uses rustls', { skip }, () => {
  for (const [version, multi] of [
    ['1.3', true],
    ['1.2', true],
    ['1.3', false],
  ] as const) {
    const how = multi ? 'uprobe_multi links' : 'single probes';
    test(`is read byte by byte over TLS ${version}, whichever thread moves which record, by ${how}`, async () => {
      assert.ok('client' in built);
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-rustls-'));
      const certificate = createCertificate(folder);
      const received = new Map<number, Buffer[]>();
      const server = tls.createServer({ key: certificate.key, cert: certificate.cert }, (socket) => {
        const { remotePort = 0 } = socket;
        received.set(remotePort, []);
        socket.on('error', () => {});
        socket.on('data', (data) => received.get(remotePort)?.push(data));
        socket.pipe(socket);
      });
      const watch = openWatch({ uprobe_multi: multi });
      try {
        await once(server.listen(0, '127.0.0.1'), 'listening');
        const library = locateTls(built.client);
        assert.deepEqual(library?.families, ['rustls']);
        assert.equal(watch.probes.attachTls(library), 'attached');
        const { port } = server.address() as AddressInfo;
        const seen = await watch.run(built.client, String(port), certificate.authority_path, version);
        const objects = new Set(seen.of('tls_data').map(({ connection }) => connection));
        // Two of each connection; over TLS 1.3 the keys of one change in both directions.
        assert.equal(objects.size, version === '1.3' ? 12 : 10);
        const streams = plaintextOf(seen);
        const sockets = seen
          .of('net_open')
          .filter(({ operation, peer }) => operation === 'connect' && peer.family === 'ipv4' && peer.port === port);
        assert.equal(sockets.length, 5);
        for (const { socket_id, local } of sockets) {
          assert.ok(local.family === 'ipv4');
          const sent = Buffer.concat(received.get(local.port) ?? []).toString('latin1');
          assert.ok(sent.length >= 3000);
          assert.deepEqual(streams.get(socket_id), { write: sent, read: sent });
        }
        assert.equal(streams.size, sockets.length);
      } finally {
        server.close();
        fs.rmSync(folder, { recursive: true });
        await watch.close();
      }
    });
  }
});
