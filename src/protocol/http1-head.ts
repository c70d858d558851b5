import type { RequestHead, ResponseHead } from './http-exchange.ts';

/** The heads of HTTP/1.1 messages, and what they say about the body (RFC 9112). */

export type Http1Head = RequestHead | ResponseHead;
export type Http1StartLine =
  | Pick<RequestHead, 'kind' | 'method' | 'target'>
  | Pick<ResponseHead, 'kind' | 'status' | 'reason'>;

/** How long a body is. `until_close`: to the end of the connection. `tunnel`: what follows is not HTTP/1.1. */
export type Framing =
  | { readonly kind: 'none' | 'chunked' | 'until_close' | 'tunnel' }
  | { readonly kind: 'length'; readonly bytes: number };

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";
const REQUEST_LINE = new RegExp(`^(${TOKEN}{1,32}) +(\\S+) +HTTP/1\\.\\d *$`);
const STATUS_LINE = /^HTTP\/1\.\d +(\d{3})(?: (.*))?$/;
const HEADER_NAME = new RegExp(`^${TOKEN}+$`);
/** The common ones, and what the preface of HTTP/2 begins with. */
const METHODS = ['PRI', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

/** Reads a request line or a status line; undefined when it is neither. */
export function parseStartLine(line: string): Http1StartLine | undefined {
  const status = STATUS_LINE.exec(line);
  if (status !== null) return { kind: 'response', status: Number(status[1]), reason: status[2]?.trim() ?? '' };
  const request = REQUEST_LINE.exec(line);
  return request === null ? undefined : { kind: 'request', method: request[1] ?? '', target: request[2] ?? '' };
}

/**
 * Could the text begin a message, whatever follows? Only the common methods count: this is for finding a message among
 * bytes that are something else.
 */
export function mayBeStart(text: string): boolean {
  if ('HTTP/1.'.startsWith(text) || text.startsWith('HTTP/1.')) return true;
  return METHODS.some((method) => `${method} `.startsWith(text) || text.startsWith(`${method} `));
}

/** Adds one header line, with its folded continuations (RFC 9112 section 5.2). False: it is none. */
export function addHeaderLine(
  headers: Map<string, string>,
  line: string,
  last_name: string | undefined,
): string | false {
  if (line.startsWith(' ') || line.startsWith('\t')) {
    if (last_name === undefined) return false;
    headers.set(last_name, `${headers.get(last_name) ?? ''} ${line.trim()}`);
    return last_name;
  }
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(0, colon)).trimEnd().toLowerCase();
  if (!HEADER_NAME.test(name)) return false;
  const value = line.slice(colon + 1).trim();
  const before = headers.get(name);
  headers.set(name, before === undefined ? value : `${before}, ${value}`);
  return name;
}

/** The body of a request (RFC 9112 section 6.3, points 3 to 7); undefined when the head contradicts itself. */
export function requestFraming(head: RequestHead): Framing | undefined {
  const codings = listOf(head.headers.get('transfer-encoding'));
  if (codings.length > 0) return codings.at(-1) === 'chunked' ? { kind: 'chunked' } : undefined;
  const length = contentLength(head.headers);
  if (length === 'invalid') return undefined;
  return length === undefined ? { kind: 'none' } : { kind: 'length', bytes: length };
}

/** The body of the response to a request of `method` (RFC 9112 section 6.3); undefined when the head contradicts itself. */
export function responseFraming(head: ResponseHead, method: string | undefined): Framing | undefined {
  if (head.status === 101) return { kind: 'tunnel' };
  if (head.status < 200 || head.status === 204 || head.status === 304 || method === 'HEAD') return { kind: 'none' };
  if (method === 'CONNECT' && head.status < 300) return { kind: 'tunnel' };
  const codings = listOf(head.headers.get('transfer-encoding'));
  if (codings.length > 0) return { kind: codings.at(-1) === 'chunked' ? 'chunked' : 'until_close' };
  const length = contentLength(head.headers);
  if (length === 'invalid') return undefined;
  return length === undefined ? { kind: 'until_close' } : { kind: 'length', bytes: length };
}

/** The codings of a body in the order they were applied, lower case, without `chunked` and `identity`. */
export function bodyCodings(headers: ReadonlyMap<string, string>): readonly string[] {
  return [...listOf(headers.get('content-encoding')), ...listOf(headers.get('transfer-encoding'))].filter(
    (coding) => coding !== 'chunked' && coding !== 'identity',
  );
}

function listOf(value: string | undefined): string[] {
  if (value === undefined) return [];
  return value
    .toLowerCase()
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function contentLength(headers: ReadonlyMap<string, string>): number | 'invalid' | undefined {
  const values = new Set(listOf(headers.get('content-length')));
  if (values.size === 0) return headers.has('content-length') ? 'invalid' : undefined;
  const [value = ''] = values;
  return values.size === 1 && /^\d{1,15}$/.test(value) ? Number(value) : 'invalid';
}
