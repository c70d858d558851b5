import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { createCounters } from '../src/health/counters.ts';
import type { TlsDataEvent } from '../src/model/event.ts';
import type { TlsFamilyName, TlsFunction, TlsLibrary } from '../src/model/tls-library.ts';
import { createTlsAttacher } from '../src/tls-attacher.ts';

const REQUEST = Buffer.from('POST /v1/messages HTTP/1.1\r\n');
const RESPONSE = Buffer.from('HTTP/1.1 200 OK\r\n\r\n');
const CIPHERTEXT = Buffer.from('1703030020', 'hex');
const COMPRESSED = Buffer.from('1f8b0800000000000003abe6', 'hex');

/** Of the file that was attached first. */
type Seen = Pick<TlsDataEvent, 'direction' | 'data'> & Partial<Pick<TlsDataEvent, 'half' | 'offset' | 'pid'>>;

const FUNCTIONS: readonly TlsFunction[] = [
  { name: 'SSL_read', file_offset: 1n },
  { name: 'SSL_write', file_offset: 2n },
  { name: 'rustls_encrypt', file_offset: 3n },
];

/** Attaches one file whose functions these families found; tells why it was refused, if it was. */
function refusalOf(
  families: readonly TlsFamilyName[],
  events: readonly Seen[],
  confirmed: TlsFunction[] = [],
): string | undefined {
  const library: TlsLibrary = {
    path: '/opt/agent',
    device: 1n,
    inode: 2n,
    version: '',
    build_id: undefined,
    families,
    functions: FUNCTIONS,
    evidence: [],
  };
  let number = 0;
  let refusal: string | undefined;
  const detached: TlsLibrary[] = [];
  const attacher = createTlsAttacher({
    probes: {
      attachTls: (_, given) => {
        number = given ?? 0;
        return 'attached';
      },
      detachTls: (one) => detached.push(one),
      checkTls: () => [],
    },
    counters: createCounters(),
    warn: () => {},
    locate: () => library,
    refuse: (_, reason) => {
      refusal = reason;
    },
    confirm: (_, functions) => confirmed.push(...functions),
    isConfirmed: (_, functions) => functions.every((one) => confirmed.includes(one)),
  });
  attacher.attach([library.path]);
  for (const event of events)
    attacher.see({ pid: 1, offset: 0n, lost_bytes: 0, library: number, ...event } as TlsDataEvent);
  assert.equal(detached.length, refusal === undefined ? 0 : 1);
  return refusal;
}

const times = (count: number, event: Seen): readonly Seen[] => Array.from({ length: count }, () => event);
const byProcesses = (count: number, events: readonly Seen[]): readonly Seen[] =>
  events.map((one, index) => ({ ...one, pid: index % count }));
const settled: readonly Seen[] = [
  { direction: 'write', data: REQUEST },
  { direction: 'read', data: RESPONSE },
];

test('of a program with two TLS libraries, what one moves does not vouch for the other', () => {
  const wrong = times(3, { direction: 'write', data: CIPHERTEXT });
  const families = ['openssl-static', 'rustls'] as const;
  assert.equal(refusalOf(families, [...settled, ...wrong]), undefined);
  const reason = 'what it writes is no plaintext (3 calls)';
  assert.equal(refusalOf(families, [...settled, ...wrong.map((one) => ({ ...one, half: true as const }))]), reason);
  const half = settled.map((one) => ({ ...one, half: true as const }));
  assert.equal(refusalOf(families, [...half, ...wrong]), reason);
});

test('what begins in the middle says nothing against rustls, whose objects end with their keys', () => {
  const unclear = byProcesses(3, times(20, { direction: 'read', data: COMPRESSED }));
  assert.match(refusalOf(['boringssl'], unclear) ?? '', /begins like no protocol/);
  const half = unclear.map((one) => ({ ...one, half: true as const }));
  assert.equal(refusalOf(['rustls'], half), undefined);
});

test('one process alone cannot make what begins like no protocol count, however often', () => {
  const unclear = times(60, { direction: 'read', data: COMPRESSED });
  assert.equal(refusalOf(['boringssl'], unclear), undefined);
  assert.equal(refusalOf(['boringssl'], byProcesses(2, unclear)), undefined);
  assert.match(refusalOf(['boringssl'], byProcesses(3, unclear)) ?? '', /begins like no protocol/);
});

test('what was confirmed once is never refused, whatever it moves later', () => {
  const wrong = times(9, { direction: 'write', data: CIPHERTEXT });
  const confirmed: TlsFunction[] = [];
  assert.equal(refusalOf(['openssl-static', 'rustls'], settled, confirmed), undefined);
  assert.deepEqual(
    confirmed.map(({ name }) => name),
    ['SSL_read', 'SSL_write'],
  );
  assert.equal(refusalOf(['openssl-static', 'rustls'], wrong, confirmed), undefined);
  const half = wrong.map((one) => ({ ...one, half: true as const }));
  assert.match(refusalOf(['openssl-static', 'rustls'], half, confirmed) ?? '', /no plaintext/);
});

test('functions that symbols or the table of Go name stay probed, whatever they move', () => {
  const wrong = times(9, { direction: 'write', data: CIPHERTEXT });
  assert.equal(refusalOf(['openssl-symbols'], wrong), undefined);
  assert.equal(refusalOf(['go'], wrong), undefined);
  assert.notEqual(refusalOf(['known-build'], wrong), undefined);
});

test('a file that changed is probed anew, for whom it was, once it stays as it is', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-attacher-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'libssl.so');
  fs.writeFileSync(file, 'half');
  const located: string[] = [];
  const changed = [{ path: file, by: 'anyone' } as const, { path: path.join(folder, 'gone'), by: 'anyone' } as const];
  const attacher = createTlsAttacher({
    probes: { attachTls: () => 'attached', detachTls: () => {}, checkTls: () => changed.splice(0) },
    counters: createCounters(),
    warn: () => {},
    locate: (one) => {
      located.push(one);
      return undefined;
    },
  });
  for (let check = 0; check < 8; check++) attacher.check();
  fs.appendFileSync(file, 'whole');
  for (let check = 0; check < 8; check++) attacher.check();
  assert.deepEqual(located, []);
  for (let check = 0; check < 8; check++) attacher.check();
  assert.deepEqual(located, [file]);
});
