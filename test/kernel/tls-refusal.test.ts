import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs, { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { createCounters } from '../../src/health/counters.ts';
import type { TlsDataEvent } from '../../src/model/event.ts';
import { versionOf } from '../../src/model/file-identity.ts';
import type { TlsFunction, TlsLibrary } from '../../src/model/tls-library.ts';
import { readElf } from '../../src/targets/elf.ts';
import { findFunctions } from '../../src/targets/elf-symbols.ts';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { createTlsAttacher } from '../../src/tls-attacher.ts';
import { createCertificate } from '../mock-llm/certificate.ts';
import { openWatch, PYTHON } from './watch.ts';

const watch = openWatch();
const folder = mkdtempSync(join(tmpdir(), 'undersight-refusal-'));
const { key, cert } = createCertificate(folder);
const server = tls.createServer({ key, cert }, (socket) => {
  socket.on('error', () => {});
  socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
});
before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
after(async () => {
  server.close();
  rmSync(folder, { recursive: true });
  await watch.close();
});

const client = () => `
import socket, ssl
context = ssl._create_unverified_context()
s = context.wrap_socket(socket.create_connection(('127.0.0.1', ${(server.address() as AddressInfo).port})))
for i in range(6): s.sendall(b'GET /%d HTTP/1.1\\r\\n\\r\\n' % i); s.recv(100)`;

function mappedLibrary(name: string): string {
  const maps = execFileSync(PYTHON, ['-c', "import ssl; print(open('/proc/self/maps').read())"], { encoding: 'utf8' });
  const file = maps.match(new RegExp(`/\\S*/${name}\\S*`))?.[0];
  assert.ok(file, `Python maps no ${name}`);
  return file;
}

/** Attaches these functions of a file as if they had been inferred; runs the client; gives what was seen and told. */
async function useAs(file: string, functions: readonly TlsFunction[]) {
  const stat = fs.statSync(file, { bigint: true });
  const { dev: device, ino: inode } = stat;
  const library: TlsLibrary = {
    path: file,
    device,
    inode,
    version: versionOf(stat),
    build_id: undefined,
    families: ['openssl-static'],
    functions,
    evidence: [],
  };
  const counters = createCounters();
  const warnings: string[] = [];
  const refused: string[] = [];
  const attacher = createTlsAttacher({
    probes: watch.probes,
    counters,
    warn: (text) => warnings.push(text),
    locate: () => library,
    refuse: (_library, reason) => refused.push(reason),
  });
  attacher.attach([file]);
  const first = (await watch.run(PYTHON, '-c', client())).of('tls_data');
  for (const event of first) attacher.see(event);
  const second: readonly TlsDataEvent[] = (await watch.run(PYTHON, '-c', client())).of('tls_data');
  watch.probes.detachTls(library);
  return { first, second, warnings, refused, losses: counters.losses() };
}

test('functions that turn out to move ciphertext are probed no longer, which is told and remembered', async () => {
  const file = mappedLibrary('libcrypto');
  const fd = fs.openSync(file, 'r');
  const elf = readElf(fd);
  assert.ok(elf);
  // BIO_write takes the same arguments as SSL_write.
  const offsets = findFunctions(elf, ['BIO_write', 'BIO_read'] as const);
  fs.closeSync(fd);
  const functions = [
    { name: 'SSL_write', file_offset: offsets.get('BIO_write') ?? 0n },
    { name: 'SSL_read', file_offset: offsets.get('BIO_read') ?? 0n },
  ] as const;
  const { first, second, warnings, refused, losses } = await useAs(file, functions);
  assert.ok(first.length > 0);
  assert.deepEqual(second, []);
  assert.deepEqual(losses, [['live.tls_refused', 1]]);
  assert.match(
    warnings.join('\n'),
    /libcrypto\S* its TLS functions .* are not what they were taken for: .* is no plaintext/,
  );
  assert.equal(refused.length, 1);
});

test('functions that turn out to be right stay probed', async () => {
  const file = mappedLibrary('libssl');
  const { first, second, warnings, losses } = await useAs(file, locateTls(file)?.functions ?? []);
  assert.equal(second.length, first.length);
  assert.equal(second.filter(({ direction }) => direction === 'write').length, 6);
  assert.deepEqual([warnings, losses], [[], []]);
});
