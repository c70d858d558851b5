import type { LlmRequest } from '../model/llm-call.ts';
import type { HttpRequestHead } from './provider.ts';
import { inHeadSession } from './session-id.ts';
import type { WebSocketCall } from './websocket-api.ts';

export interface OpenCall<Reader> extends WebSocketCall {
  readonly reader: Reader;
  end(state: 'complete' | 'lost'): void;
}

/** The calls of one WebSocket whose ends were not seen yet. */
export interface OpenCalls<Reader> {
  /** In the order in which they began. */
  readonly list: readonly OpenCall<Reader>[];
  begin(request: LlmRequest, reader: Reader, request_lost?: boolean): OpenCall<Reader>;
  /** Messages of that side passed which cannot be read. */
  damaged(side: 'sent' | 'received'): void;
  /** The client asks anew, as it does once it was answered: the ends of those before may be among what cannot be read. */
  loseDamaged(): void;
}

/** Of more, the oldest is given up. */
const MAX_OPEN_CALLS = 64;

export function createOpenCalls<Reader extends Pick<WebSocketCall, 'result'>>(
  head: HttpRequestHead,
  provider: string,
): OpenCalls<Reader> {
  const list: OpenCall<Reader>[] = [];
  let is_damaged = false;
  return {
    list,
    begin(request, reader, request_lost = false) {
      let state: WebSocketCall['state'] = 'open';
      const call: OpenCall<Reader> = {
        ...inHeadSession({ provider, request, malformed: undefined }, head),
        reader,
        request_lost,
        get state() {
          return state;
        },
        end(how) {
          if (state !== 'open') return;
          state = how;
          list.splice(list.indexOf(call), 1);
        },
        result: () => reader.result(),
      };
      list.push(call);
      if (list.length > MAX_OPEN_CALLS) list[0]?.end('lost');
      return call;
    },
    damaged(side) {
      is_damaged ||= side === 'received';
    },
    loseDamaged() {
      if (is_damaged) for (const call of [...list]) call.end('lost');
      is_damaged = false;
    },
  };
}
