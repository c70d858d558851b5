import type { ExchangeListener, FramedConnection, RequestHead } from './http-exchange.ts';

/** A request without its whole response. */
export interface Http2Stream<At> {
  readonly id: number;
  readonly listener: ExchangeListener<At> | undefined;
  /** It asks for a stream that carries no messages (RFC 8441). */
  readonly connect: RequestHead | undefined;
  tunnel: FramedConnection<At> | undefined;
  is_requesting: boolean;
  /** `unread`: its head could not be read. */
  response: 'awaited' | 'body' | 'unread';
  /** Its end may have been lost: given up with the first stream after this one, unless more of it is read. */
  unsure_until: number | undefined;
}
