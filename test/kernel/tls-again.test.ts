import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { createCertificate } from '../mock-llm/certificate.ts';
import { openWatch, PYTHON } from './watch.ts';

const LOAD = `import ctypes, os, socket, sys; g = ctypes.CDLL('libgnutls.so.30')`;

/** Writes two requests; the connection takes the first one's record at the second try only. */
const client = (port: number) => `${LOAD}
def record(handle, data, size):
    global refuse
    if refuse:
        refuse = False
        g.gnutls_transport_set_errno(session, 11)
        return -1
    return os.write(s.fileno(), ctypes.string_at(data, size))
refuse = False
PUSH = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
push = PUSH(record)
g.gnutls_record_send.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
g.gnutls_record_send.restype = ctypes.c_ssize_t
session, credentials = ctypes.c_void_p(), ctypes.c_void_p()
g.gnutls_certificate_allocate_credentials(ctypes.byref(credentials))
g.gnutls_init(ctypes.byref(session), 2)
g.gnutls_set_default_priority(session)
g.gnutls_credentials_set(session, 1, credentials)
s = socket.create_connection(('127.0.0.1', ${port}))
g.gnutls_transport_set_int2(session, s.fileno(), s.fileno())
g.gnutls_transport_set_push_function(session, push)
while g.gnutls_handshake(session) != 0: pass
refuse = True
assert g.gnutls_record_send(session, b'GET /one HTTP/1.1\\r\\n\\r\\n', 21) == -28
assert g.gnutls_record_send(session, None, 0) == 21
assert g.gnutls_record_send(session, b'GET /two HTTP/1.1\\r\\n\\r\\n', 21) == 21`;

test('GnuTLS: what goes out after its call failed is lost as a whole, and what follows stands where it belongs', async (t) => {
  let library_path: string;
  try {
    const maps = execFileSync(PYTHON, ['-c', `${LOAD}; print(open('/proc/self/maps').read())`], { stdio: 'pipe' });
    library_path = maps.toString().match(/\/\S*\/libgnutls\S*/)?.[0] ?? '';
  } catch {
    return t.skip('no libgnutls.so.30: apt-get install libgnutls30');
  }
  const folder = mkdtempSync(join(tmpdir(), 'undersight-again-'));
  const { key, cert } = createCertificate(folder);
  const server = tls.createServer({ key, cert }, (socket) => {
    socket.on('error', () => {});
    socket.resume();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const watch = openWatch();
  try {
    const library = locateTls(library_path);
    assert.ok(library);
    assert.equal(watch.probes.attachTls(library), 'attached');
    const seen = await watch.run(PYTHON, '-c', client((server.address() as AddressInfo).port));
    assert.deepEqual(
      seen
        .of('tls_data')
        .filter(({ direction }) => direction === 'write')
        .map(({ offset, lost_bytes, data }) => [offset, lost_bytes, Buffer.from(data).toString()]),
      [
        [0n, 21, ''],
        [21n, 0, 'GET /two HTTP/1.1\r\n\r\n'],
      ],
    );
    assert.deepEqual(
      watch.probes.readLosses().filter((count) => count > 0),
      [1],
    );
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
    await assert.rejects(watch.close());
  }
});
