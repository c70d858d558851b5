import {
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_NETWORK_LOCAL_ADDRESS,
  ATTR_NETWORK_LOCAL_PORT,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_SERVER_ADDRESS,
} from '@opentelemetry/semantic-conventions';
import type { Span } from '../../model/span.ts';
import {
  ATTR_DNS_QUESTION_NAME,
  ATTR_FILE_PATH,
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_RESPONSE_FINISH_REASONS,
  ATTR_GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
  ATTR_GEN_AI_TOOL_CALL_ARGUMENTS,
  ATTR_GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
  ATTR_GEN_AI_USAGE_COST,
  ATTR_GEN_AI_USAGE_INPUT_TOKENS,
  ATTR_GEN_AI_USAGE_OUTPUT_TOKENS,
  ATTR_MCP_RESOURCE_URI,
  ATTR_PROCESS_COMMAND_ARGS,
  ATTR_PROCESS_EXIT_CODE,
  ATTR_PROCESS_PID,
  ATTR_PROCESS_WORKING_DIRECTORY,
  ATTR_UNDERSIGHT_FILE_BYTES_READ,
  ATTR_UNDERSIGHT_FILE_BYTES_WRITTEN,
  ATTR_UNDERSIGHT_FILE_COUNT,
  ATTR_UNDERSIGHT_FILE_NEW_PATH,
  ATTR_UNDERSIGHT_MCP_NOTIFICATION_COUNT,
  ATTR_UNDERSIGHT_MCP_SENDER,
  ATTR_UNDERSIGHT_MCP_SERVER_NAME,
  ATTR_UNDERSIGHT_NETWORK_BYTES_RECEIVED,
  ATTR_UNDERSIGHT_NETWORK_BYTES_SENT,
  ATTR_UNDERSIGHT_NETWORK_COUNT,
  ATTR_UNDERSIGHT_NETWORK_OPERATION,
  ATTR_UNDERSIGHT_TURN_CACHE_READ_INPUT_TOKENS,
  ATTR_UNDERSIGHT_TURN_COST,
  ATTR_UNDERSIGHT_TURN_INPUT_TOKENS,
  ATTR_UNDERSIGHT_TURN_LLM_CALL_COUNT,
  ATTR_UNDERSIGHT_TURN_OUTPUT_TOKENS,
  ATTR_UNDERSIGHT_TURN_TOOL_CALL_COUNT,
} from '../../spans/semconv.gen.ts';
import { printable } from './printable-text.ts';
import { bytesText, costText, countText, durationText } from './quantity-text.ts';
import { marksOf } from './span-marks.ts';
import { amount, commandText, contentOf, hostAndPort, number, text, texts } from './span-text.ts';
import type { Line, Piece, Style } from './styled-line.ts';

/** `path` is written relative to `directory` below it. */
export interface LineSurroundings {
  readonly content: boolean;
  readonly directory: string | undefined;
  /** It is below what nobody asked for. */
  readonly is_unasked: boolean;
}

const SEPARATOR = ' · ';

export function spanLine(span: Span, indent: string, around: LineSurroundings): Line {
  const { title, detail } = describe(span, around);
  return {
    indent,
    title,
    detail,
    marks: marksOf(span, around.is_unasked),
    right: durationText(span.end_unix_ns - span.start_unix_ns),
  };
}

/** The working directory that a process's span, or an agent's resource, names. */
export function directoryOf({ attributes }: Pick<Span, 'attributes'>): string | undefined {
  const directory = attributes[ATTR_PROCESS_WORKING_DIRECTORY];
  return typeof directory === 'string' ? directory : undefined;
}

function describe(span: Span, around: LineSurroundings): Pick<Line, 'title' | 'detail'> {
  const operation = text(span, ATTR_GEN_AI_OPERATION_NAME);
  if (operation === 'invoke_agent') return { title: named(span, 'agent'), detail: dim(turnFacts(span)) };
  if (span.attributes[ATTR_UNDERSIGHT_MCP_SENDER] !== undefined) {
    return { title: named(span, 'tool'), detail: [...dim(mcpFacts(span)), ...toolDetail(span, around)] };
  }
  if (operation === 'execute_tool') return { title: named(span, 'tool'), detail: toolDetail(span, around) };
  if (operation !== undefined) return { title: named(span, 'model'), detail: dim(callFacts(span)) };
  if (span.attributes[ATTR_PROCESS_PID] !== undefined) return processText(span, around);
  if (span.attributes[ATTR_FILE_PATH] !== undefined) {
    return { title: named(span, 'effect'), detail: fileDetail(span, around) };
  }
  if (span.attributes[ATTR_UNDERSIGHT_NETWORK_OPERATION] !== undefined) {
    return { title: named(span, 'effect'), detail: networkDetail(span) };
  }
  return { title: named(span, 'plain'), detail: [] };
}

/** The first word says what it is, the rest which one. */
function named(span: Span, style: Style): Piece[] {
  const [, what = '', which = ''] = /^(\S+)(.*)$/s.exec(printable(span.name)) ?? [];
  return [
    { text: what, style: which === '' || style === 'effect' ? style : 'dim' },
    { text: which, style },
  ];
}

function dim(facts: readonly (string | undefined)[]): Piece[] {
  const words = facts.filter((fact) => fact !== undefined && fact !== '').join(SEPARATOR);
  return words === '' ? [] : [{ text: words, style: 'dim' }];
}

function turnFacts(span: Span): (string | undefined)[] {
  const tools = amount(span, ATTR_UNDERSIGHT_TURN_TOOL_CALL_COUNT);
  return [
    plural(amount(span, ATTR_UNDERSIGHT_TURN_LLM_CALL_COUNT), 'call'),
    tools === 0 ? undefined : plural(tools, 'tool call'),
    tokensText(
      number(span, ATTR_UNDERSIGHT_TURN_INPUT_TOKENS),
      amount(span, ATTR_UNDERSIGHT_TURN_CACHE_READ_INPUT_TOKENS),
      number(span, ATTR_UNDERSIGHT_TURN_OUTPUT_TOKENS),
    ),
    costOf(span, ATTR_UNDERSIGHT_TURN_COST),
  ];
}

function callFacts(span: Span): (string | undefined)[] {
  const first_chunk_s = number(span, ATTR_GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK);
  const status = number(span, ATTR_HTTP_RESPONSE_STATUS_CODE) ?? 200;
  return [
    tokensText(
      number(span, ATTR_GEN_AI_USAGE_INPUT_TOKENS),
      amount(span, ATTR_GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
      number(span, ATTR_GEN_AI_USAGE_OUTPUT_TOKENS),
      text(span, ATTR_GEN_AI_OPERATION_NAME) !== 'embeddings',
    ),
    first_chunk_s === undefined ? undefined : `first chunk ${durationText(BigInt(Math.round(first_chunk_s * 1e9)))}`,
    texts(span, ATTR_GEN_AI_RESPONSE_FINISH_REASONS).join(', '),
    status === 200 ? undefined : `HTTP ${status}`,
    costOf(span, ATTR_GEN_AI_USAGE_COST),
  ];
}

function mcpFacts(span: Span): (string | undefined)[] {
  const name = text(span, ATTR_UNDERSIGHT_MCP_SERVER_NAME);
  const is_servers = text(span, ATTR_UNDERSIGHT_MCP_SENDER) === 'server';
  const notifications = amount(span, ATTR_UNDERSIGHT_MCP_NOTIFICATION_COUNT);
  return [
    text(span, ATTR_MCP_RESOURCE_URI),
    name === undefined ? undefined : `${is_servers ? 'from' : 'to'} ${name}`,
    notifications === 0 ? undefined : plural(notifications, 'notification'),
  ];
}

/** `512 (256 cached) → 64 tokens`; `512 tokens` where nothing is written. */
function tokensText(
  input: number | undefined,
  cached: number,
  output: number | undefined,
  has_output = true,
): string | undefined {
  if (input === undefined && output === undefined) return undefined;
  const from = input === undefined ? '?' : countText(input);
  const of_these = cached === 0 ? '' : ` (${countText(cached)} cached)`;
  if (!has_output) return `${from}${of_these} tokens`;
  return `${from}${of_these} → ${output === undefined ? '?' : countText(output)} tokens`;
}

function costOf(span: Span, name: string): string | undefined {
  const usd = number(span, name);
  return usd === undefined ? undefined : costText(usd);
}

function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function toolDetail(span: Span, { content }: LineSurroundings): Piece[] {
  const given = contentOf(span, ATTR_GEN_AI_TOOL_CALL_ARGUMENTS, content);
  return typeof given === 'string' ? [{ text: printable(given), style: 'plain' }] : [];
}

function processText(span: Span, { content }: LineSurroundings): Pick<Line, 'title' | 'detail'> {
  const full = contentOf(span, ATTR_PROCESS_COMMAND_ARGS, content) ?? span.attributes[ATTR_PROCESS_COMMAND_ARGS];
  const args = typeof full === 'object' ? full : [];
  const rest = args.length > 1 ? ` ${commandText(args.slice(1))}` : '';
  const exit_code = number(span, ATTR_PROCESS_EXIT_CODE);
  return {
    title: [
      { text: printable(span.name), style: 'command' },
      { text: rest, style: 'plain' },
    ],
    // Any other one is among the marks.
    detail: exit_code === 0 ? [{ text: 'exit 0', style: 'dim' }] : [],
  };
}

function fileDetail(span: Span, { directory }: LineSurroundings): Piece[] {
  const new_path = text(span, ATTR_UNDERSIGHT_FILE_NEW_PATH);
  const path = shortPath(text(span, ATTR_FILE_PATH) ?? '', directory);
  const read = amount(span, ATTR_UNDERSIGHT_FILE_BYTES_READ);
  const written = amount(span, ATTR_UNDERSIGHT_FILE_BYTES_WRITTEN);
  const facts = [
    read === 0 ? undefined : `${bytesText(read)}${written === 0 ? '' : ' read'}`,
    written === 0 ? undefined : `${bytesText(written)} written`,
    times(amount(span, ATTR_UNDERSIGHT_FILE_COUNT)),
  ];
  return subject(new_path === undefined ? path : `${path} → ${shortPath(new_path, directory)}`, facts);
}

function networkDetail(span: Span): Piece[] {
  const operation = text(span, ATTR_UNDERSIGHT_NETWORK_OPERATION);
  const peer = hostAndPort(span, ATTR_NETWORK_PEER_ADDRESS, ATTR_NETWORK_PEER_PORT);
  const local = hostAndPort(span, ATTR_NETWORK_LOCAL_ADDRESS, ATTR_NETWORK_LOCAL_PORT);
  const name = text(span, ATTR_SERVER_ADDRESS) === undefined ? undefined : hostAndPort(span);
  const sent = amount(span, ATTR_UNDERSIGHT_NETWORK_BYTES_SENT);
  const received = amount(span, ATTR_UNDERSIGHT_NETWORK_BYTES_RECEIVED);
  const where = text(span, ATTR_DNS_QUESTION_NAME) ?? name ?? (operation === 'listen' ? local : peer || local);
  return subject(where, [
    sent === 0 ? undefined : `${bytesText(sent)} sent`,
    received === 0 ? undefined : `${bytesText(received)} received`,
    times(amount(span, ATTR_UNDERSIGHT_NETWORK_COUNT)),
  ]);
}

function subject(what: string, facts: readonly (string | undefined)[]): Piece[] {
  const rest = dim(facts);
  return [
    { text: what, style: 'plain' },
    ...(rest.length === 0 ? [] : [{ text: '  ', style: 'plain' } as const, ...rest]),
  ];
}

function times(count: number): string | undefined {
  return count > 1 ? `×${countText(count)}` : undefined;
}

function shortPath(path: string, directory: string | undefined): string {
  if (directory === undefined || directory === '/' || !path.startsWith(`${printable(directory)}/`)) return path;
  return path.slice(printable(directory).length + 1);
}
