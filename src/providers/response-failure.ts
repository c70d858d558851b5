import type { CallError } from '../model/llm-call.ts';
import { readApiError } from './api-error.ts';
import { parseJson } from './json-value.ts';
import type { HttpResponseHead } from './provider.ts';

/** What went wrong with one response, as far as it says so itself. The first error stays. */
export interface ResponseFailure {
  /** An error in the body or in an event; `fallback` is its type when it names none. */
  report(body: unknown, fallback: string): void;
  /** The text as JSON; when it is none, that is remembered. */
  parse(text: string): unknown;
  readonly error: CallError | undefined;
  readonly malformed: string | undefined;
}

export function createResponseFailure(head: HttpResponseHead): ResponseFailure {
  const refused = head.status >= 400;
  let error: CallError | undefined;
  let malformed: string | undefined;
  return {
    report(body, fallback) {
      error ??= readApiError(body, refused ? String(head.status) : fallback);
    },
    parse(text) {
      const value = parseJson(text);
      // An error page of a gateway is no JSON, and tells nothing about the API.
      if (value === undefined && !refused) malformed ??= 'not JSON';
      return value;
    },
    get error() {
      return error ?? (refused ? { type: String(head.status), message: '' } : undefined);
    },
    get malformed() {
      return malformed;
    },
  };
}
