import type { Counters } from '../health/counters.ts';
import { createByteBlocks } from '../protocol/byte-blocks.ts';
import { decodeContent } from '../protocol/content-coding.ts';
import type { ExchangeListener } from '../protocol/http-exchange.ts';
import { bodyCodings } from '../protocol/http1-head.ts';
import type { BodyPart, HttpRequestHead, Provider } from '../providers/provider.ts';
import type { Arrival } from './arrival.ts';
import type { BodyBudget } from './body-collector.ts';

export interface UnsureExchangeOptions {
  readonly confirms: NonNullable<Provider['confirms']>;
  readonly head: HttpRequestHead;
  readonly budget: BodyBudget;
  readonly counters: Pick<Counters, 'lost'>;
  /** It is a call: who hears of it from its beginning on. */
  begin(): ExchangeListener<Arrival>;
  /** It is none: who else may want to. */
  otherwise?(): ExchangeListener<Arrival> | undefined;
}

/** So much of a body tells whether it is worth waiting for the rest. */
const TELLING_BYTES = 64 * 1024;
const TELLING_DECODED_BYTES = 4 * 2 ** 20;

/** Holds back an exchange until its request's body tells whether it is a call at all; of one that is none, nothing is kept. */
export function createUnsureExchange(options: UnsureExchangeOptions): ExchangeListener<Arrival> {
  const { head, budget } = options;
  const held = createByteBlocks();
  let last_at: Arrival | undefined;
  let is_decided = false;
  let is_telling = false;
  let listener: ExchangeListener<Arrival> | undefined;

  /** Ends the holding back: `next` hears what was held, and what follows. */
  const handOver = (next: ExchangeListener<Arrival> | undefined): void => {
    const body = held.joined();
    budget.buffered_bytes -= body.length;
    held.clear();
    is_decided = true;
    listener = next;
    if (last_at !== undefined) next?.requestBody(body, last_at);
  };
  const confirmed = (part: BodyPart): boolean => {
    const raw = held.joined();
    const max_bytes = part === 'beginning' ? TELLING_DECODED_BYTES : budget.max_body_bytes;
    const { data, problem } = decodeContent(raw, bodyCodings(head.headers), max_bytes);
    // So much that it cannot be looked through yet.
    if (problem === 'too_large' && part === 'beginning') return true;
    return options.confirms(head, data, problem === undefined || part === 'outgrown' ? part : 'cut');
  };
  /** Nothing more comes that could tell. */
  const decide = (part: BodyPart): void => {
    if (!is_decided) handOver(confirmed(part) ? options.begin() : options.otherwise?.());
  };
  /** There is no room for what could tell more. */
  const decideEarly = (): void => {
    const is_call = confirmed('outgrown');
    if (!is_call && confirmed('beginning')) options.counters.lost('exchange.unsure_requests_dropped');
    handOver(is_call ? options.begin() : options.otherwise?.());
  };

  return {
    requestBody(data, at) {
      if (is_decided) {
        listener?.requestBody(data, at);
        return;
      }
      held.add(data);
      last_at = at;
      budget.buffered_bytes += data.length;
      if (held.bytes > budget.max_body_bytes || budget.buffered_bytes > budget.max_buffered_bytes) decideEarly();
      else if (!is_telling && held.bytes >= TELLING_BYTES) {
        is_telling = true;
        if (!confirmed('beginning')) handOver(options.otherwise?.());
      }
    },
    requestGap(bytes, at) {
      decide('cut');
      listener?.requestGap(bytes, at);
    },
    requestEnd(at, whole) {
      decide(whole ? 'whole' : 'cut');
      listener?.requestEnd(at, whole);
    },
    responseHead(response, at) {
      decide('cut');
      listener?.responseHead(response, at);
    },
    responseBody: (data, at) => listener?.responseBody(data, at),
    responseTrailers: (fields, at) => listener?.responseTrailers?.(fields, at),
    responseGap(bytes, at) {
      decide('cut');
      listener?.responseGap(bytes, at);
    },
    responseMalformed(at) {
      decide('cut');
      listener?.responseMalformed(at);
    },
    responseEnd(at, how, cause) {
      decide('cut');
      listener?.responseEnd(at, how, cause);
    },
  };
}
