// responses-websocket.mjs [--warm-up] [--prompt-file FILE]
// An agent with a shell tool that speaks the Responses API over one WebSocket, as Codex does, or over streams where that is refused.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs, promisify } from 'node:util';
import { WebSocket } from 'ws';

const { values } = parseArgs({
  options: {
    'warm-up': { type: 'boolean' },
    'prompt-file': { type: 'string' },
  },
});
const run = promisify(execFile);
const prompt = values['prompt-file'] ? readFileSync(values['prompt-file'], 'utf8') : 'Do what is needed.';
const base = process.env.OPENAI_BASE_URL;
const headers = { authorization: `Bearer ${process.env.OPENAI_API_KEY}`, 'session-id': 'session-7' };
const ca = readFileSync(process.env.NODE_EXTRA_CA_CERTS);
const parameters = { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] };
const common = {
  model: 'gpt-5',
  instructions: 'Be brief.',
  tools: [{ type: 'function', name: 'shell', description: 'Runs a command', parameters, strict: false }],
};

const socket = new WebSocket(`${base.replace('https:', 'wss:')}/responses`, {
  ca,
  headers,
  perMessageDeflate: { threshold: 0 },
  maxPayload: 2 ** 27,
});
const opened = await new Promise((resolve) => {
  socket.once('open', () => resolve(true));
  socket.once('error', () => resolve(false));
});

/** Sends a request and waits for its last event. */
function respond(request) {
  return new Promise((resolve, reject) => {
    const hear = (data) => {
      const event = JSON.parse(data);
      if (event.type === 'error') reject(new Error(event.message));
      if (event.type !== 'response.completed') return;
      socket.off('message', hear);
      resolve(event.response);
    };
    socket.on('message', hear);
    socket.once('close', (code) => reject(new Error(`closed (${code})`)));
    socket.send(JSON.stringify({ type: 'response.create', ...common, ...request }));
  });
}

async function fallBack(request) {
  const body = JSON.stringify({ ...common, ...request, stream: true });
  const response = await fetch(`${base}/responses`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
  });
  const last = (await response.text()).split('\n').findLast((line) => line.startsWith('data: {'));
  return JSON.parse(last.slice(6)).response;
}

const ask = opened ? respond : fallBack;
let previous_response_id;
let input = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: prompt }] }];
try {
  if (values['warm-up']) await ask({ input: [], generate: false });
  for (;;) {
    const response = await ask({ input, ...(previous_response_id && { previous_response_id }) });
    previous_response_id = response.id;
    const calls = response.output.filter((item) => item.type === 'function_call');
    if (calls.length === 0) {
      const text = response.output
        .flatMap((item) => item.content ?? [])
        .map((part) => part.text)
        .join('');
      console.log(text.length > 200 ? text.length : text);
      break;
    }
    input = [];
    for (const call of calls) {
      const { stdout } = await run('/bin/sh', ['-c', JSON.parse(call.arguments).command]);
      input.push({ type: 'function_call_output', call_id: call.call_id, output: stdout });
    }
  }
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  socket.close();
}
