import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import tls from 'node:tls';
import { locateTls } from '../../src/targets/locate-tls.ts';
import { createCertificate } from '../mock-llm/certificate.ts';
import { CLIENT_BEGIN, END_HEADERS, frame } from '../protocol/http2-bytes.ts';
import { openWatch, PYTHON, seenOf } from './watch.ts';

const watch = openWatch({ discover_by_traffic: true });
const folder = mkdtempSync(join(tmpdir(), 'undersight-discover-'));
const { key, cert, authority_path } = createCertificate(folder);
const server = tls.createServer({ key, cert }, (socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => {
    if (data.toString('latin1', data.length - 4) === 'END\n') socket.write('done');
  });
});

before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const maps = execFileSync(PYTHON, ['-c', "import ssl; print(open('/proc/self/maps').read())"], { encoding: 'utf8' });
  const files = [...new Set([...maps.matchAll(/\S*\/lib(?:ssl|crypto)\S*/g)].map(([file]) => file))];
  const found = [PYTHON, ...files].flatMap((file) => locateTls(file) ?? []);
  assert.ok(found.length >= 1);
  for (const library of found) assert.equal(watch.probes.attachTls(library), 'attached');
});
after(async () => {
  server.close();
  rmSync(folder, { recursive: true });
  await watch.close();
});

/** Whether a process that nobody watches is seen as an agent, after it wrote these. */
async function isDiscovered(...writes: readonly Buffer[]): Promise<boolean> {
  const program = `
import socket, ssl, sys
context = ssl.create_default_context(cafile='${authority_path}')
s = context.wrap_socket(socket.create_connection(('127.0.0.1', ${(server.address() as AddressInfo).port})), server_hostname='localhost')
for text in sys.argv[1:]:
    s.sendall(bytes.fromhex(text)); s.sendall(b'END\\n'); s.recv(4)`;
  const child = spawn(PYTHON, ['-c', program, ...writes.map((bytes) => bytes.toString('hex'))], { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  const seen = seenOf(child.pid ?? 0, watch.take());
  return seen.of('agent_seen').some(({ pid }) => pid === child.pid);
}

const http1 = (path: string) => Buffer.from(`POST ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);

test('whoever asks a model over HTTP/1.1 is known by the path', async () => {
  for (const path of [
    '/v1/embeddings',
    '/v1/completions',
    '/responses',
    '/backend-api/codex/responses',
    '/compatible-mode/v1/responses?a=b',
    '/v1beta/openai/embeddings',
    '/openai/deployments/text/embeddings?api-version=1',
    '/some/gateway/chat/completions',
    '/v2/chat',
    '/ollama/api/chat',
    '/v1beta/models/text-embedding-004:embedContent',
    '/v1beta/models/text-embedding-004:batchEmbedContents?key=k',
    '/model/us.amazon.nova-pro-v1%3A0/converse',
    '/model/us.amazon.nova-pro-v1%3A0/converse-stream',
    '/model/meta.llama3-8b-instruct-v1%3A0/invoke',
    '/model/meta.llama3-8b-instruct-v1%3A0/invoke-with-response-stream',
  ]) {
    assert.equal(await isDiscovered(http1(path)), true, path);
  }
  const others = ['/functions/f/invoke', '/api/chat', '/completionsist', '/v1/embeddings/7', '/model/x', '/converse'];
  others.push(
    '/forms/1/responses',
    '/v1/forms/1/responses',
    '/shell/completions',
    '/maps/embeddings',
    '/login?to=/v1/responses',
  );
  assert.equal(await isDiscovered(...others.map(http1)), false);
});

/** As most clients write a request: names by their numbers, values as they are. */
function literal(path: string, authority: string): Buffer {
  const value = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  const fields = [Buffer.from([0x83, 0x87, 0x41]), value(authority), Buffer.from([0x44]), value(path)];
  return frame(1, END_HEADERS, 1, Buffer.concat(fields));
}

/** As Node writes it: in the Huffman code. */
async function coded(path: string, authority: string): Promise<Buffer> {
  const written: Buffer[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  const client = http2.connect(`https://${authority}`, { createConnection: () => socket });
  client.on('error', () => {});
  client.request({ ':method': 'POST', ':path': path }).on('error', () => {});
  const isHeaders = (piece: Buffer) => piece[3] === 1;
  while (!written.some(isHeaders)) await setImmediate();
  client.destroy();
  return written.find(isHeaders) ?? assert.fail();
}

test('whoever asks a model over HTTP/2 is known by the path or the host that its first request spells out', async () => {
  for (const [path, authority] of [
    ['/v1/messages?beta=true', 'localhost'],
    ['/v1/responses', 'api.openai.com'],
    ['/v1/chat/completions', 'a-host-with-a-rather-long-name.internal.example.com:8443'],
    ['/backend-api/codex/responses', 'chatgpt.com'],
    ['/v1beta/models/gemini-pro:streamGenerateContent?alt=sse', 'generativelanguage.googleapis.com'],
    ['/google.ai.generativelanguage.v1beta.GenerativeService/GenerateContent', 'localhost'],
    ['/model/us.amazon.nova-pro-v1%3A0/converse', 'bedrock-runtime.us-east-1.amazonaws.com'],
  ] as const) {
    const plain = literal(path, authority);
    for (const bytes of [plain, Buffer.concat([CLIENT_BEGIN, plain]), await coded(path, authority)]) {
      assert.equal(await isDiscovered(bytes), true, `${path} ${bytes.toString('hex')}`);
    }
  }
  for (const [path, authority] of [
    ['/v1/other', 'api.openai.com'],
    ['/v1/message', 'localhost'],
    ['/google.storage.v2.Storage/ReadObject', 'storage.googleapis.com'],
    ['/', 'not-bedrock-runtime.example.com'],
  ] as const) {
    assert.equal(await isDiscovered(literal(path, authority), await coded(path, authority)), false, path);
  }
});
