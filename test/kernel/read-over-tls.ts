import type net from 'node:net';
import tls from 'node:tls';

/**
 * A TLS server on loopback that answers `answer` and ends, for a node client that sends `question`; `run` runs that client
 * to its end. A key both know stands in for certificates.
 */
export async function readOverTls(
  question: string,
  answer: string,
  run: (command: string, args: readonly string[]) => Promise<void>,
): Promise<{ readonly port: number }> {
  const psk = Buffer.alloc(16, 1);
  const server = tls.createServer({ ciphers: 'PSK', maxVersion: 'TLSv1.2', pskCallback: () => psk }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const program = `
    const socket = require('node:tls').connect({ port: ${port}, host: '127.0.0.1', ciphers: 'PSK', maxVersion: 'TLSv1.2',
      pskCallback: () => ({ psk: Buffer.alloc(16, 1), identity: 'test' }), checkServerIdentity: () => undefined });
    socket.on('secureConnect', () => socket.write(process.argv[1])).resume();`;
  try {
    await run(process.execPath, ['-e', program, question]);
  } finally {
    server.close();
  }
  return { port };
}
