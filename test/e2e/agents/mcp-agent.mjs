// mcp-agent.mjs stdio|http|sse LOG
// An agent whose tools are those of an MCP server that it starts, by way of the official SDKs. Writes what it sends to the
// server, and what that asks of it, to LOG: `[sender, method, id]` a line.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import OpenAI from 'openai';

const [how, log] = process.argv.slice(2);
const server = join(import.meta.dirname, 'mcp-server.mjs');
let child;

async function connect() {
  if (how === 'stdio') return new StdioClientTransport({ command: process.execPath, args: [server, how] });
  child = spawn(process.execPath, [server, how], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(child.stdout, 'data');
  const url = new URL(`http://127.0.0.1:${String(port).trim()}/mcp`);
  return how === 'sse' ? new SSEClientTransport(url) : new StreamableHTTPClientTransport(url);
}

const note = (sender, { method, id }) => {
  if (method !== undefined) appendFileSync(log, `${JSON.stringify([sender, method, id ?? null])}\n`);
};
const transport = await connect();
const send = transport.send.bind(transport);
transport.send = (message, options) => {
  note('client', message);
  return send(message, options);
};
const mcp = new Client({ name: 'note-taker', version: '2.7' }, { capabilities: { sampling: {} } });
mcp.setRequestHandler(CreateMessageRequestSchema, () => ({
  model: 'm',
  role: 'assistant',
  content: { type: 'text', text: 'in short' },
}));
await mcp.connect(transport);
const { onmessage } = transport;
transport.onmessage = (message, extra) => {
  note('server', message);
  onmessage(message, extra);
};

const { tools: offered } = await mcp.listTools();
await mcp.ping();
await mcp.readResource({ uri: 'note://today' });
await mcp.getPrompt({ name: 'greet', arguments: { name: 'Ann' } });
const tools = offered.map(({ name, description, inputSchema }) => ({
  type: 'function',
  function: { name: `mcp__notes__${name}`, description, parameters: inputSchema },
}));
const openai = new OpenAI({ maxRetries: 0 });
const messages = [{ role: 'user', content: 'Do what is needed.' }];
for (;;) {
  const { choices } = await openai.chat.completions.create({ model: 'gpt-5-mini', messages, tools });
  const { message } = choices[0];
  messages.push(message);
  if (!message.tool_calls?.length) break;
  const results = message.tool_calls.map(async ({ id, function: { name, arguments: args } }) => {
    const call = { name: name.replace('mcp__notes__', ''), arguments: JSON.parse(args) };
    const { content } = await mcp.callTool(call, undefined, { onprogress: () => {} });
    return { role: 'tool', tool_call_id: id, content: content[0].text };
  });
  messages.push(...(await Promise.all(results)));
}
// A request that the model did not ask for.
await mcp.callTool({ name: 'read_note', arguments: { path: 'second.txt' } });
console.log(messages.at(-1).content);
await mcp.close();
child?.kill();
