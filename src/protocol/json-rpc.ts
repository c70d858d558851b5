/** JSON-RPC 2.0 (https://www.jsonrpc.org/specification), one message after the other on a stream of bytes. */

export type JsonRpcId = string | number;

export type JsonRpcMessage =
  | { readonly type: 'request'; readonly id: JsonRpcId; readonly method: string; readonly params: unknown }
  | { readonly type: 'notification'; readonly method: string; readonly params: unknown }
  | {
      readonly type: 'response';
      readonly id: JsonRpcId | undefined;
      readonly result: unknown;
      readonly error: unknown;
    };

/** Messages in one batch beyond these are left out. */
const MAX_BATCH = 1000;

/** The messages of a text: one, or those of a batch. Empty: it is no JSON-RPC. `leftOut` hears how many are left out. */
export function parseJsonRpc(text: string, leftOut: (count: number) => void): readonly JsonRpcMessage[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(value)) return [readMessage(value)].filter((message) => message !== undefined);
  if (value.length > MAX_BATCH) leftOut(value.length - MAX_BATCH);
  return value.slice(0, MAX_BATCH).flatMap((item) => readMessage(item) ?? []);
}

function readMessage(value: unknown): JsonRpcMessage | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { jsonrpc, id, method, params, result, error } = value as Readonly<Record<string, unknown>>;
  if (jsonrpc !== '2.0') return undefined;
  const known_id = typeof id === 'string' || typeof id === 'number' ? id : undefined;
  if (typeof method === 'string') {
    return known_id === undefined
      ? { type: 'notification', method, params }
      : { type: 'request', id: known_id, method, params };
  }
  return Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error')
    ? { type: 'response', id: known_id, result, error }
    : undefined;
}
