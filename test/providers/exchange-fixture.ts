import type { HttpRequestHead, HttpResponseHead, Provider, StreamEvent } from '../../src/providers/provider.ts';

/** The head of a POST to `https://host/path`. */
export function post(host: string, target: string, headers: Readonly<Record<string, string>> = {}): HttpRequestHead {
  return { method: 'POST', target, host, headers: new Map(Object.entries(headers)) };
}

export const ok: HttpResponseHead = { status: 200, headers: new Map() };

export function status(code: number): HttpResponseHead {
  return { status: code, headers: new Map() };
}

export function parse(provider: Provider, head: HttpRequestHead, body: unknown) {
  return provider.parseRequest(head, Buffer.from(JSON.stringify(body)));
}

/** Gives a stream's events to a reader for `request`; the n-th (from 1) at ktime n. */
export function events(provider: Provider, head: HttpRequestHead, request: unknown, list: readonly StreamEvent[]) {
  const reader = provider.createResponseReader(parse(provider, head, request).request, ok);
  for (const [i, event] of list.entries()) reader.pushEvent(event, BigInt(i + 1));
  return { complete: reader.complete, ...reader.result() };
}

/** The same of events that have no names. */
export function stream(provider: Provider, head: HttpRequestHead, request: unknown, list: readonly unknown[]) {
  const texts = list.map((data) => (typeof data === 'string' ? data : JSON.stringify(data)));
  const unnamed = texts.map((data) => ({ event: undefined, data }));
  return events(provider, head, request, unnamed);
}

/** Gives a whole body to a reader for `request`, at ktime 9. */
export function whole(
  provider: Provider,
  head: HttpRequestHead,
  request: unknown,
  body: unknown,
  response: HttpResponseHead = ok,
) {
  const reader = provider.createResponseReader(parse(provider, head, request).request, response);
  reader.pushBody(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), 9n);
  return { complete: reader.complete, ...reader.result() };
}
