import { ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT } from '@opentelemetry/semantic-conventions';
import type { AttributeValue, Span } from '../../model/span.ts';
import { printable } from './printable-text.ts';

/** Reads attributes of any span, with the types they should have. */

export function text(span: Span, name: string): string | undefined {
  const value = span.attributes[name];
  return typeof value === 'string' ? printable(value) : undefined;
}

/** 0 when it is not there. */
export function amount(span: Span, name: string): number {
  return toNumber(span.attributes[name]) ?? 0;
}

export function number(span: Span, name: string): number | undefined {
  return toNumber(span.attributes[name]);
}

export function texts(span: Span, name: string): readonly string[] {
  const value = span.attributes[name];
  return typeof value === 'object' ? value.map(printable) : [];
}

/** Content is shown on request only. */
export function contentOf(span: Span, name: string, content: boolean): AttributeValue | undefined {
  return content ? span.content[name] : undefined;
}

/** `host:port` of two attributes. */
export function hostAndPort(span: Span, host: string = ATTR_SERVER_ADDRESS, port: string = ATTR_SERVER_PORT): string {
  const address = text(span, host) ?? '';
  const port_number = number(span, port);
  if (port_number === undefined) return address;
  return address.includes(':') ? `[${address}]:${port_number}` : `${address}:${port_number}`;
}

/** Arguments as one would type them. */
export function commandText(args: readonly string[]): string {
  return args.map((argument) => quote(printable(argument))).join(' ');
}

function quote(argument: string): string {
  return /^[\w@%+=:,./~\\[\]-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

function toNumber(value: AttributeValue | undefined): number | undefined {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}
