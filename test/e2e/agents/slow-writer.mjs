// slow-writer.mjs: one chat request by hand, its bytes spread over many writes of a few bytes. Prints the status line.
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';

const url = new URL(process.env.OPENAI_BASE_URL);
const body = JSON.stringify({ model: 'gpt-5-mini', messages: [{ role: 'user', content: 'In pieces, bitte: äöü' }] });
const head = [
  'POST /v1/chat/completions HTTP/1.1',
  `Host: ${url.host}`,
  'Content-Type: application/json',
  `Content-Length: ${Buffer.byteLength(body)}`,
  'Connection: close',
  '',
  '',
].join('\r\n');
const bytes = Buffer.from(head + body);
const ca = readFileSync(process.env.NODE_EXTRA_CA_CERTS);
const socket = connect({ host: url.hostname, port: url.port, ca }, async () => {
  socket.setNoDelay(true);
  for (let at = 0; at < bytes.length; at += 7) {
    await new Promise((resolve) => socket.write(bytes.subarray(at, at + 7), resolve));
  }
});
let answer = '';
socket.on('data', (chunk) => {
  answer += chunk;
});
socket.on('end', () => {
  console.log(answer.split('\r\n')[0]);
  socket.end();
});
