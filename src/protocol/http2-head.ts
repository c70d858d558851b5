import type { HeaderBlock } from './hpack.ts';
import type { RequestHead, ResponseHead } from './http-exchange.ts';

/** What a header block is (RFC 9113 section 8.3): the `head` of a message, if enough of it is known, or trailers. */
export type Http2Head =
  | { readonly kind: 'request'; readonly head: RequestHead | undefined }
  | { readonly kind: 'response'; readonly head: ResponseHead | undefined }
  | { readonly kind: 'trailers'; readonly fields: ReadonlyMap<string, string> };

const STATUS = /^[1-9]\d\d$/;

/** Reads a decoded block. `kind` is what a block is taken for whose pseudo-header fields are not known. */
export function readHttp2Head(block: HeaderBlock, kind: 'request' | 'response'): Http2Head {
  const pseudo = new Map<string, string>();
  const headers = new Map<string, string>();
  let has_unknown = false;
  for (const { name, value } of block.fields) {
    if (name === undefined || value === undefined) has_unknown = true;
    else if (name.startsWith(':')) pseudo.set(name, value);
    else addField(headers, name.toLowerCase(), value);
  }
  const is_partial = has_unknown || block.problem !== undefined;
  const method = pseudo.get(':method');
  const status = pseudo.get(':status');
  if (method !== undefined) return { kind: 'request', head: requestHead(method, pseudo, headers, is_partial) };
  if (status !== undefined) {
    const head = { kind: 'response', status: Number(status), reason: '', headers, is_partial } as const;
    return { kind: 'response', head: STATUS.test(status) ? head : undefined };
  }
  return has_unknown ? { kind, head: undefined } : { kind: 'trailers', fields: headers };
}

function requestHead(
  method: string,
  pseudo: ReadonlyMap<string, string>,
  headers: Map<string, string>,
  is_partial: boolean,
): RequestHead | undefined {
  const authority = pseudo.get(':authority');
  const target = pseudo.get(':path') ?? (method === 'CONNECT' ? authority : undefined);
  if (target === undefined) return undefined;
  if (authority !== undefined) headers.set('host', authority);
  const protocol = pseudo.get(':protocol');
  return { kind: 'request', method, target, headers, is_partial, ...(protocol !== undefined && { protocol }) };
}

/** Cookies may come in several fields, which are one (section 8.2.3). */
function addField(headers: Map<string, string>, name: string, value: string): void {
  const before = headers.get(name);
  headers.set(name, before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`);
}
