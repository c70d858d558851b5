// two-calls.mjs: asks once, waits for a line on stdin, reads ./notes.txt, asks again over the same connection, ends.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';

const { Agent, request: open } = process.env.OPENAI_BASE_URL.startsWith('https:') ? https : http;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

async function ask(content) {
  const url = `${process.env.OPENAI_BASE_URL}/chat/completions`;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${process.env.OPENAI_API_KEY}` };
  const request = open(url, { method: 'POST', agent, headers });
  request.end(JSON.stringify({ model: 'gpt-5-mini', messages: [{ role: 'user', content }] }));
  const [response] = await once(request, 'response');
  console.log(JSON.parse(await text(response)).choices[0].message.content);
}

await ask('first');
await once(process.stdin, 'data');
await ask(readFileSync('notes.txt', 'utf8'));
process.exit();
