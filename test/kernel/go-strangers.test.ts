import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import tls from 'node:tls';
import type { Event } from '../../src/model/event.ts';
import type { TlsLibrary } from '../../src/model/tls-library.ts';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { buildGo, hasGo, NO_GO } from '../go-program.ts';
import { createCertificate } from '../mock-llm/certificate.ts';
import { openWatch, seenOf } from './watch.ts';

const folder = mkdtempSync(join(tmpdir(), 'undersight-go-'));
const certificate = createCertificate(folder);
/** Before each answer, with how many there were. */
let beforeAnswer = async (_answers: number): Promise<void> => {};
const server = tls.createServer({ key: certificate.key, cert: certificate.cert }, (socket) => {
  let answers = 0;
  socket.on('error', () => {});
  socket.on('data', async (data) => {
    await beforeAnswer(answers++);
    socket.write(data);
  });
});

const REQUEST = 'POST /v1/messages HTTP/1.1\r\n\r\n';
/** What is told of each piece: direction, text, and whether something is missing before it. */
type Told = readonly ['write' | 'read', string, 'lost'?];

describe('a Go program that nobody watches', { skip: hasGo ? false : NO_GO }, () => {
  let program = '';
  let port = 0;
  before(async () => {
    program = buildGo(folder, 'client', readFileSync(join(import.meta.dirname, 'go-client.go'), 'utf8'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  /** Runs the client with the probes for strangers; all of them are attached before the answer with this index. */
  async function runAsStranger(mode: readonly string[], completeBefore: number): Promise<readonly Told[]> {
    const watch = openWatch({ discover_by_traffic: true });
    const events: Event[] = [];
    try {
      const library = locateTls(program) as TlsLibrary;
      assert.equal(watch.probes.attachTls(library, 1, { by: 'anyone' }), 'attached');
      const args = [String(port), certificate.authority_path, ...mode];
      const child = spawn(program, args, { stdio: 'inherit' });
      const isSeen = () => events.some((event) => event.kind === 'agent_seen' && event.pid === child.pid);
      beforeAnswer = async (answers) => {
        if (answers !== completeBefore) return;
        for (let tries = 0; !isSeen() && tries < 500; tries++) {
          await setTimeout(10);
          events.push(...watch.take());
        }
        assert.equal(watch.probes.attachTls(library, 2, { by: 'watched', pid: child.pid ?? 0 }), 'already');
      };
      const [code] = await once(child, 'exit');
      assert.equal(code, 0);
      events.push(...watch.take());
      const data = [...seenOf(child.pid ?? 0, events).of('tls_data')];
      data.sort((one, other) => Number(one.ktime_ns - other.ktime_ns));
      // What is told before it is sent is on no socket that was known.
      const sockets = new Set(data.filter((event) => event !== data[0]).map(({ socket_id }) => socket_id));
      assert.ok(sockets.size <= 1 && !sockets.has(0n));
      return data.map(({ direction, data, lost_bytes }): Told => {
        const text = Buffer.from(data).toString();
        return lost_bytes > 0 ? [direction, text, 'lost'] : [direction, text];
      });
    } finally {
      beforeAnswer = async () => {};
      await watch.close();
    }
  }

  test('is not disturbed, and nothing is told of it', async () => {
    assert.deepEqual(await runAsStranger(['many', '20', '4'], -1), []);
  });

  test('and reveals itself by a request is read from there on, the answer that was awaited already included', async () => {
    const expected = [
      ['write', REQUEST],
      ['read', REQUEST],
    ];
    assert.deepEqual(await runAsStranger(['asking'], 0), expected);
  });

  test('and had read other answers before, in the goroutine that now asks, has lost none', async () => {
    const expected = [
      ['write', REQUEST],
      ['read', REQUEST],
    ];
    assert.deepEqual(await runAsStranger(['talking'], 1), expected);
  });

  test('and got its first answer before all probes were there has a mark in that place', async () => {
    const expected = [
      ['write', REQUEST],
      ['read', '', 'lost'],
      ['write', REQUEST],
      ['read', REQUEST],
    ];
    assert.deepEqual(await runAsStranger(['conversing'], 1), expected);
  });
});
