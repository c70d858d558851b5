import type { RequestHead } from '../protocol/http-exchange.ts';
import type { HttpRequestHead } from '../providers/provider.ts';

const CREDENTIAL_HEADERS = /^(?:authorization|proxy-authorization|cookie|set-cookie|.*api-?key|.*token)$/;
export const HTTP_PORT = 80;
export const HTTPS_PORT = 443;

/** The head as providers see it: credentials are gone, their headers' names remain. */
export function withoutCredentials(head: RequestHead): HttpRequestHead {
  const headers = new Map(head.headers);
  for (const name of headers.keys()) if (CREDENTIAL_HEADERS.test(name)) headers.set(name, '');
  return { method: head.method, target: head.target, host: hostOf(head), headers };
}

/** An absolute target overrides the Host header (RFC 9112 section 3.2.2). */
function hostOf({ target, headers }: RequestHead): string | undefined {
  const authority = /^https?:\/\/([^/?#]+)/i.exec(target)?.[1];
  return authority?.slice(authority.lastIndexOf('@') + 1) ?? (headers.get('host') || undefined);
}

/** `api.example.com:8443` or `[::1]:8443` in its parts; without a port it is `default_port`. */
export function splitHost(
  host: string,
  default_port: number,
): { readonly address: string; readonly port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]{2,64})\]|([^[\]:\s]{1,255}))(?::(\d{1,5}))?$/.exec(host.trim());
  const address = match?.[1] ?? match?.[2];
  if (match === null || address === undefined) return undefined;
  return { address: address.toLowerCase(), port: match[3] === undefined ? default_port : Number(match[3]) };
}
