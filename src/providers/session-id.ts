import { parseJson, stringField } from './json-value.ts';
import type { HttpRequestHead, ParsedRequest, Provider } from './provider.ts';

/** Claude Code; Codex (before and since it writes them with a dash); what many agents and gateways have agreed on. */
const SESSION_HEADERS = [
  'x-claude-code-session-id',
  'session-id',
  'session_id',
  'thread-id',
  'conversation-id',
  'conversation_id',
  'x-session-id',
];
/** An id, not a sentence, and no list of them. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** The session that a request's head says it belongs to. */
function headSession({ headers }: HttpRequestHead): string | undefined {
  for (const name of SESSION_HEADERS) {
    const value = headers.get(name)?.trim();
    if (value !== undefined && ID.test(value)) return value;
  }
  return undefined;
}

/**
 * The session in the `metadata.user_id` of Claude Code: `user_{device}_account_{account}_session_{session}`, since 2.1.78
 * JSON with a `session_id`. The rest names the user, and is left alone.
 */
export function userIdSession(user_id: string | undefined): string | undefined {
  if (user_id === undefined || user_id.length > 4096) return undefined;
  const value = user_id.startsWith('{')
    ? stringField(parseJson(user_id), 'session_id')
    : /_session_([A-Za-z0-9-]{1,128})$/.exec(user_id)?.[1];
  return value !== undefined && ID.test(value) ? value : undefined;
}

/** A request that names no conversation belongs to that of the session in its head, or in its upgrade's. */
export function inHeadSession(parsed: ParsedRequest, head: HttpRequestHead): ParsedRequest {
  const session = headSession(head);
  if (parsed.request.conversation_id !== undefined || session === undefined) return parsed;
  const request = { ...parsed.request, conversation_id: session, conversation_is_session: true };
  return { ...parsed, request };
}

/** The same provider; a request that names no conversation belongs to that of the session in its head. */
export function withHeadSession(provider: Provider): Provider {
  return {
    ...provider,
    parseRequest: (head, body) => inHeadSession(provider.parseRequest(head, body), head),
  };
}
