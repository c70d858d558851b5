import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { findSystemLibraries } from '../../src/targets/tls-files.ts';
import { createCertificate } from '../mock-llm/certificate.ts';
import { openWatch, PYTHON, type Seen } from './watch.ts';

const watch = openWatch();
const folder = mkdtempSync(join(tmpdir(), 'undersight-libraries-'));
const certificate = createCertificate(folder);
const BODY = 'x'.repeat(3000);
const ANSWER = `HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\nconnection: close\r\n\r\n${BODY}`;
const server = tls.createServer({ key: certificate.key, cert: certificate.cert }, (socket) => {
  let got = '';
  socket.on('error', () => {});
  socket.on('data', (data) => {
    got += data.toString('latin1');
    if (got.includes('\r\n\r\n')) socket.end(ANSWER);
  });
});
let port = 0;

before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = (server.address() as AddressInfo).port;
  // NSPR is probed only where somebody who is watched uses it.
  const nspr = '/usr/lib/x86_64-linux-gnu/libnspr4.so';
  for (const file of [...findSystemLibraries(), ...(existsSync(nspr) ? [realpathSync(nspr)] : [])]) {
    const library = locateTls(file);
    if (library !== undefined) assert.equal(watch.probes.attachTls(library), 'attached', file);
  }
});
after(async () => {
  server.close();
  rmSync(folder, { recursive: true });
  await watch.close();
});

const text = (seen: Seen, direction: 'read' | 'write') =>
  Buffer.concat(
    seen
      .of('tls_data')
      .filter((one) => one.direction === direction)
      .map((one) => one.data),
  ).toString('latin1');

/** One request and its answer, whole and once, over the socket to the server; and the end of the connection. */
function checkExchange(seen: Seen, path: string) {
  assert.match(text(seen, 'write'), new RegExp(`^GET /${path}\\S* HTTP/1\\.[01]\r\n(?:[^\r\n]+\r\n)*\r\n$`));
  assert.equal(text(seen, 'read'), ANSWER);
  const open = seen.of('net_open').find((one) => one.peer.port === port);
  assert.ok(open);
  // What was written into a library's own memory may be told before anything is sent.
  const sockets = new Set(seen.of('tls_data').map(({ socket_id }) => socket_id));
  sockets.delete(0n);
  assert.deepEqual([...sockets], [open.socket_id]);
  assert.equal(seen.of('tls_close').length, 1);
}

const shell = (command: string) => watch.run('/bin/sh', '-c', command);

function has(command: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${command}`], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

test('GnuTLS: gnutls-cli', async (t) => {
  if (!has('gnutls-cli')) return t.skip('no gnutls-cli: apt-get install gnutls-bin');
  writeFileSync(join(folder, 'request'), 'GET /cli HTTP/1.0\r\n\r\n');
  const command = `gnutls-cli --insecure -p ${port} localhost <${folder}/request >/dev/null`;
  const seen = await shell(`(sleep 0.3; cat ${folder}/request; sleep 0.3) | ${command.replace(/<\S+/, '')}`);
  checkExchange(seen, 'cli');
});

test('GnuTLS: git', async (t) => {
  if (!has('git')) return t.skip('no git');
  const seen = await shell(
    `git -c http.sslVerify=false ls-remote https://localhost:${port}/repository >/dev/null 2>&1`,
  );
  if (seen.of('tls_data').length === 0) return t.skip('this git speaks TLS by a library that is not the system’s');
  assert.match(text(seen, 'write'), /^GET \/repository\/info\/refs\?service=git-upload-pack HTTP\/1\.1\r\n/);
  assert.ok(text(seen, 'read').startsWith(ANSWER.slice(0, 100)));
});

test('GnuTLS: what was held back (corked) counts once', async (t) => {
  await checkLibrary(t, 'gnutls-corked');
});

for (const library of ['gnutls', 'mbedtls', 'wolfssl'])
  test(`${library}: a program that is linked to it`, (t) => checkLibrary(t, library));

async function checkLibrary(t: { skip(reason: string): void }, name: string) {
  const client = join(import.meta.dirname, 'clients/tls_client.py');
  const lookUp = `import ctypes.util, sys; sys.exit(ctypes.util.find_library('${name.split('-')[0]}') is None)`;
  try {
    execFileSync(PYTHON, ['-c', lookUp]);
  } catch {
    return t.skip(`no lib${name} on this system`);
  }
  checkExchange(await watch.run(PYTHON, client, name, String(port), `GET /${name} HTTP/1.1\r\nhost: h\r\n\r\n`), name);
}

test('NSS: tstclnt, but not what NSPR reads from files and bare sockets', async (t) => {
  if (!has('tstclnt')) return t.skip('no tstclnt: apt-get install libnss3-tools');
  writeFileSync(join(folder, 'request'), 'GET /nss HTTP/1.0\r\n\r\n');
  const seen = await shell(`tstclnt -D -o -h 127.0.0.1 -p ${port} -A ${folder}/request >/dev/null 2>&1 </dev/null`);
  checkExchange(seen, 'nss');
});
