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
import type { ProbeOptions } from '../../src/kernel/loader.ts';
import { launchHeld } from '../../src/launch.ts';
import type { TlsDataEvent } from '../../src/model/event.ts';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { createCertificate } from '../mock-llm/certificate.ts';
import { buildRustlsClient } from '../rustls-client/build.ts';
import { openWatch, type Seen, seenOf, type Watch } from './watch.ts';

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

/** Runs the client, whose TLS functions are watched, against a server that echoes; `received`: what came, by the client's port. */
async function withServer(
  options: Partial<ProbeOptions>,
  run: (
    watch: Watch,
    client: string,
    server: {
      readonly port: number;
      readonly authority_path: string;
      readonly received: ReadonlyMap<number, Buffer[]>;
    },
  ) => Promise<void>,
): Promise<void> {
  assert.ok('client' in built);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-rustls-'));
  const { key, cert, authority_path } = createCertificate(folder);
  const received = new Map<number, Buffer[]>();
  const server = tls.createServer({ key, cert }, (socket) => {
    const { remotePort = 0 } = socket;
    received.set(remotePort, []);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      received.get(remotePort)?.push(data);
      socket.write(data);
      if (data.includes('END\n')) socket.end();
    });
  });
  const watch = openWatch(options);
  try {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const library = locateTls(built.client);
    assert.deepEqual(library?.families, ['rustls']);
    assert.equal(watch.probes.attachTls(library), 'attached');
    const { port } = server.address() as AddressInfo;
    await run(watch, built.client, { port, authority_path, received });
  } finally {
    server.close();
    fs.rmSync(folder, { recursive: true });
    await watch.close();
  }
}

describe('a program that uses rustls', { skip }, () => {
  for (const [version, how, options] of [
    ['1.3', 'the links that there are', {}],
    ['1.2', 'the links that there are', {}],
    ['1.3', 'a probe for each end of a call', { uprobe_session: false }],
    ['1.3', 'single probes', { uprobe_multi: false }],
  ] as const) {
    test(`is read byte by byte over TLS ${version}, whichever thread moves which record, by ${how}`, () =>
      withServer(options, async (watch, client, { port, authority_path, received }) => {
        const seen = await watch.run(client, String(port), authority_path, version);
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
          // The last answer on one of them could not be decrypted.
          const read = sent.startsWith('B') ? sent.slice(0, -1000) : sent;
          assert.deepEqual(streams.get(socket_id), { write: sent, read });
        }
        assert.equal(streams.size, sockets.length);
      }));
  }

  test('is watched from its first request to an LLM API on', () =>
    withServer({ discover_by_traffic: true }, async (watch, client, { port, authority_path }) => {
      const ask = async (text: string) => {
        const child = await launchHeld(client, [String(port), authority_path, '1.3', text]);
        child.release();
        await child.exited;
        return seenOf(child.pid, watch.take());
      };
      assert.deepEqual((await ask('GET /v1/messages HTTP/1.1\r\n\r\nEND\n')).all, []);
      const request = 'POST /v1/messages HTTP/1.1\r\n\r\nEND\n';
      const seen = await ask(request);
      assert.equal(seen.of('agent_seen').length, 1);
      assert.deepEqual([...plaintextOf(seen).values()], [{ write: request, read: request }]);
    }));
});
