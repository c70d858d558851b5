import { isDeepStrictEqual } from 'node:util';
import type { McpCall } from '../model/mcp-call.ts';
import type { ToolWindow } from './tool-window.ts';

/** Shorter names than this may be the end of many. */
const MIN_NAME_CHARS = 2;
const MAX_NAME_CHARS = 512;
const MAX_WRAPPED = 32;

/**
 * How surely a model's tool call is what a client sends to an MCP server: 0..1. Agents put the server's name before the
 * tool's (`mcp__fs__read_file`, `fs.read_file`), replace characters that model APIs do not allow, cut long names at the
 * front, and leave arguments as they are; some offer one tool that takes a tool's name and arguments as its own.
 */
export function matchMcpTool({ tool }: Pick<ToolWindow, 'tool'>, call: McpCall): number {
  const { tool_name, arguments: sent } = call;
  if (call.method !== 'tools/call' || tool_name === undefined) return 0;
  const is_named = isSameTool(tool.name, tool_name);
  const is_same = isSame(tool.arguments, sent);
  if (is_named) return is_same ? 1 : 0.6;
  return wraps(tool.arguments, tool_name, sent) ? 0.9 : 0;
}

/** Whether a model knows a tool by that name or by one that ends with it. */
export function isSameTool(offered: string, tool_name: string): boolean {
  const long = plain(offered);
  const short = plain(tool_name);
  if (long === short) return true;
  return short.length >= MIN_NAME_CHARS && long.endsWith(`_${short}`);
}

function plain(name: string): string {
  return name
    .slice(-MAX_NAME_CHARS)
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase();
}

/** No arguments, and none that are set, are the same. */
function isSame(asked: unknown, sent: unknown): boolean {
  return isDeepStrictEqual(asked ?? {}, sent ?? {}) || isDeepStrictEqual(asked, sent);
}

/** `{server, tool_name, arguments}`, where arguments may be JSON text. */
function wraps(asked: unknown, tool_name: string, sent: unknown): boolean {
  if (typeof asked !== 'object' || asked === null) return false;
  const values = Object.values(asked).slice(0, MAX_WRAPPED);
  if (!values.some((value) => typeof value === 'string' && isSameTool(value, tool_name))) return false;
  return values.some((value) => isSame(typeof value === 'string' ? parsed(value) : value, sent));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
