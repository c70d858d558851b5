import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { API_KEY, type McpCall, type Place, PROMPT, type RealAgent } from '../real-agent.ts';
import { claudeCode } from './command-line-agents.ts';

const SERVERS_VERSION = '2026.8.31';
const FILE_TEXT = 'only the server reads this';
const ECHO_TEXT = 'said to the server';
const START_TRIES = 200;

const server = ({ installed }: Place, name: string): string =>
  join(installed, `node_modules/@modelcontextprotocol/server-${name}/dist/index.js`);
const settings = ({ home }: Place): string => join(home, 'mcp.json');

/** Claude Code with two of the protocol's own servers: one on standard input and output, one over streamable HTTP. */
export const claudeCodeWithMcp: RealAgent = {
  ...claudeCode,
  name: 'Claude Code, MCP over stdio and HTTP',
  packages: {
    npm: [
      ...(claudeCode.packages.npm ?? []),
      `@modelcontextprotocol/server-filesystem@${SERVERS_VERSION}`,
      `@modelcontextprotocol/server-everything@${SERVERS_VERSION}`,
    ],
  },
  async prepare(place) {
    writeFileSync(join(place.working_directory, 'served.txt'), FILE_TEXT);
    const port = await freePort();
    const everything = spawn(process.execPath, [server(place, 'everything'), 'streamableHttp'], {
      env: { ...process.env, PORT: String(port) },
      stdio: 'ignore',
    });
    const url = `http://127.0.0.1:${port}/mcp`;
    await answers(url);
    const fs = {
      type: 'stdio',
      command: process.execPath,
      args: [server(place, 'filesystem'), place.working_directory],
    };
    writeFileSync(settings(place), JSON.stringify({ mcpServers: { fs, everything: { type: 'http', url } } }));
    return async () => {
      everything.kill();
      await once(everything, 'close');
    };
  },
  command: (place) => [
    join(place.installed, 'node_modules/.bin/claude'),
    ...['-p', PROMPT, '--dangerously-skip-permissions', '--mcp-config', settings(place), '--strict-mcp-config'],
  ],
  environment: (place) => ({ ...claudeCode.environment?.(place), ANTHROPIC_API_KEY: API_KEY }),
  before: ({ working_directory }) => {
    const read: McpCall = {
      name: 'mcp__fs__read_text_file',
      arguments: { path: join(working_directory, 'served.txt') },
      mcp_name: 'read_text_file',
      result: FILE_TEXT,
    };
    const echo: McpCall = {
      name: 'mcp__everything__echo',
      arguments: { message: ECHO_TEXT },
      mcp_name: 'echo',
      result: `Echo: ${ECHO_TEXT}`,
    };
    const query = `select:${read.name},${echo.name}`;
    return [{ name: 'ToolSearch', arguments: { query, max_results: 5 } }, read, echo];
  },
};

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

async function answers(url: string): Promise<void> {
  for (let count = 0; count < START_TRIES; count++) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status > 0) return;
    await sleep(50);
  }
  throw new Error(`no MCP server at ${url}`);
}
