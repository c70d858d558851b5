import type { CallError } from '../model/llm-call.ts';
import { readApiError } from './api-error.ts';
import { type JsonItems, jsonItems } from './json-items.ts';
import { parseJson } from './json-value.ts';
import type { HttpResponseHead } from './provider.ts';

/** What went wrong with one response, as far as it says so itself. The first error stays. */
export interface ResponseFailure {
  /** An error in the body or in an event; `fallback` is its type when it names none. */
  report(body: unknown, fallback: string): void;
  /** The text as JSON; when it is none, that is remembered. */
  parse(text: string): unknown;
  /** The same of a text that may hold several objects. */
  parseItems(text: string): JsonItems;
  readonly error: CallError | undefined;
  readonly malformed: string | undefined;
}

export function createResponseFailure(head: HttpResponseHead): ResponseFailure {
  const refused = head.status >= 400;
  let error: CallError | undefined;
  let malformed: string | undefined;
  // An error page of a gateway is no JSON, and tells nothing about the API.
  const spoil = (): void => {
    if (!refused) malformed ??= 'not JSON';
  };
  return {
    report(body, fallback) {
      error ??= readApiError(body, refused ? refusalType(head) : fallback);
    },
    parse(text) {
      const value = parseJson(text);
      if (value === undefined) spoil();
      return value;
    },
    parseItems(text) {
      const parsed = jsonItems(text);
      if (parsed.malformed) spoil();
      return parsed;
    },
    get error() {
      return error ?? (refused ? { type: refusalType(head), message: '' } : undefined);
    },
    get malformed() {
      return malformed;
    },
  };
}

/** AWS names the error in a header (`ThrottlingException:http://...`); others leave it at the status. */
function refusalType(head: HttpResponseHead): string {
  const name = /^[A-Za-z]{1,64}(?=:|$)/.exec(head.headers.get('x-amzn-errortype') ?? '')?.[0];
  return name ?? String(head.status);
}
