// bodies-node.mjs PLAN.json
// Sends the requests of a plan one after the other and prints, for each, the bytes of the body that it read.
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import { gzipSync, zstdCompressSync } from 'node:zlib';

const plan = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const ca = readFileSync(process.env.NODE_EXTRA_CA_CERTS);
const agent = new https.Agent({ ca, keepAlive: true, maxSockets: 1 });
const words = readFileSync(plan.words_path, 'utf8');
const encoders = { gzip: gzipSync, zstd: zstdCompressSync };
let session;

function bodyOf({ name, prompt_bytes, stream, request_encoding }) {
  const messages = [{ role: 'user', content: `${name} ${words.slice(0, prompt_bytes)}` }];
  const body = Buffer.from(JSON.stringify({ model: 'gpt-5', stream, messages }));
  return encoders[request_encoding]?.(body) ?? body;
}

function headersOf(wish) {
  return {
    'content-type': 'application/json',
    'x-mock': JSON.stringify(wish),
    ...(wish.request_encoding && { 'content-encoding': wish.request_encoding }),
  };
}

/** Writes a body in pieces, each on its own. */
async function send(stream, body, piece_bytes) {
  const size = piece_bytes || body.length;
  for (let at = 0; at < body.length; at += size) {
    await new Promise((resolve) => stream.write(body.subarray(at, at + size), resolve));
  }
  stream.end();
}

/** Reads all, or until it has had enough. */
function read(stream, enough_bytes, stop) {
  return new Promise((resolve) => {
    let bytes = 0;
    stream.on('data', (data) => {
      bytes += data.length;
      if (enough_bytes && bytes >= enough_bytes) stop();
    });
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(bytes));
  });
}

function overHttp1(wish) {
  const body = bodyOf(wish);
  const headers = headersOf(wish);
  if (!wish.request_piece_bytes) headers['content-length'] = body.length;
  return new Promise((resolve) => {
    const outgoing = https.request(`${plan.url}/v1/chat/completions`, { method: 'POST', agent, headers });
    outgoing.on('error', () => resolve(0));
    outgoing.on('response', (response) => resolve(read(response, wish.enough_bytes, () => outgoing.destroy())));
    send(outgoing, body, wish.request_piece_bytes);
  });
}

function overHttp2(wish) {
  if (session === undefined || session.destroyed || session.closed) {
    session = http2.connect(plan.url, { ca, settings: { initialWindowSize: 2 ** 20 } });
    session.on('error', () => undefined);
  }
  const stream = session.request({ ':method': 'POST', ':path': '/v1/chat/completions', ...headersOf(wish) });
  send(stream, bodyOf(wish), wish.request_piece_bytes);
  return read(stream, wish.enough_bytes, () => stream.close(http2.constants.NGHTTP2_CANCEL));
}

for (const wish of plan.cases) {
  const bytes = await (wish.http === 2 ? overHttp2(wish) : overHttp1(wish));
  console.log(JSON.stringify({ name: wish.name, bytes }));
}
session?.close();
agent.destroy();
