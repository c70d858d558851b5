import type { CallError } from '../model/llm-call.ts';
import { asObject, countField, field, stringField } from './json-value.ts';

/** What fits `error.type`: a short word without content. */
const LOW_CARDINALITY = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
/** OpenAI tells by `type` which quota was exceeded, and only by `code` that one was. */
const QUOTAS = new Set(['tokens', 'requests']);
const MESSAGE_LIMIT_CHARS = 4096;

function word(value: string | undefined): string | undefined {
  return value !== undefined && LOW_CARDINALITY.test(value) ? value : undefined;
}

/**
 * The error in a body or an event: `{error: {type, code, message}}` (OpenAI, Anthropic), `{error: "text"}`, or the same
 * fields on top; Google's APIs put it into an array where they would have sent one. `fallback` is the type when it names none: the HTTP status, mostly.
 */
export function readApiError(body: unknown, fallback: string): CallError {
  const source = Array.isArray(body) ? body[0] : body;
  const nested = field(source, 'error');
  const error = asObject(nested) ?? source;
  const type = word(stringField(error, 'type'));
  const code = word(stringField(error, 'code')) ?? word(stringField(error, 'status'));
  const number = countField(error, 'code');
  const status = number !== undefined && number >= 400 && number < 600 ? String(number) : fallback;
  const named = type === undefined || QUOTAS.has(type) || type === 'error' ? (code ?? type) : type;
  const message =
    stringField(error, 'message') ?? stringField(source, 'message') ?? stringField(source, 'detail') ?? '';
  return {
    type: named === undefined || named === 'error' ? status : named,
    message: (typeof nested === 'string' ? nested : message).slice(0, MESSAGE_LIMIT_CHARS),
  };
}
