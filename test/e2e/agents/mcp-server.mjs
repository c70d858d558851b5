// mcp-server.mjs stdio|http|sse
// An MCP server on the official SDK. Over HTTP it prints its port. Its tools read files, run commands, and ask the client.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

const run = promisify(execFile);
const text = (value) => ({ content: [{ type: 'text', text: String(value) }] });

function createMcp() {
  const mcp = new McpServer({ name: 'notes', version: '3.1.4' });
  mcp.registerTool('read_note', { inputSchema: { path: z.string() } }, ({ path }) => text(readFileSync(path, 'utf8')));
  mcp.registerTool('count_words', { inputSchema: { path: z.string() } }, async ({ path }) =>
    text((await run('wc', ['-w', path])).stdout),
  );
  mcp.registerTool('summarise', { inputSchema: {} }, async (_, { sendNotification, _meta }) => {
    await sendNotification({
      method: 'notifications/progress',
      params: { progressToken: _meta?.progressToken ?? 0, progress: 1 },
    });
    const messages = [{ role: 'user', content: { type: 'text', text: 'Summarise' } }];
    const answer = await mcp.server.createMessage({ messages, maxTokens: 5 });
    return text(answer.content.text);
  });
  mcp.registerTool('fail', { inputSchema: {} }, () => ({ ...text('no such note'), isError: true }));
  mcp.registerResource('note', new ResourceTemplate('note://{name}', { list: undefined }), {}, (uri) => ({
    contents: [{ uri: uri.href, text: 'a note' }],
  }));
  mcp.registerPrompt('greet', { argsSchema: { name: z.string() } }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name}` } }],
  }));
  return mcp;
}

const transports = new Map();
const serve = {
  async http(request, response) {
    let transport = transports.get(request.headers['mcp-session-id']);
    if (transport === undefined) {
      transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => transports.set(id, transport),
      });
      await createMcp().connect(transport);
    }
    await transport.handleRequest(request, response);
  },
  async sse(request, response) {
    if (request.method === 'GET') {
      const transport = new SSEServerTransport('/messages', response);
      transports.set(transport.sessionId, transport);
      await createMcp().connect(transport);
    } else {
      const { searchParams } = new URL(request.url, 'http://localhost');
      await transports.get(searchParams.get('sessionId')).handlePostMessage(request, response);
    }
  },
};

const [how] = process.argv.slice(2);
if (how === 'stdio') await createMcp().connect(new StdioServerTransport());
else {
  const server = createServer(serve[how]).listen(0, '127.0.0.1', () => console.log(server.address().port));
}
