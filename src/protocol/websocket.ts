import type { FramedConnection, RequestHead, ResponseHead } from './http-exchange.ts';
import { createMessageInflater, deflateTerms } from './websocket-deflate.ts';
import {
  createMessageReader,
  type MessageCollector,
  type WebSocketDamage,
  type WebSocketMessage,
} from './websocket-message-reader.ts';

/** `sent`: by the client. */
export type WebSocketSide = 'sent' | 'received';

export interface WebSocketSink<At> {
  /** A whole message, with the first byte at `start`. */
  message(side: WebSocketSide, message: WebSocketMessage, at: At, start: At): void;
  /** Messages, or a part of one, passed that cannot be read. `bytes` 0: it is not known how many. */
  damaged(side: WebSocketSide, reason: WebSocketDamage, bytes: number, at: At): void;
  /** A side said that it sends no more, and why (RFC 6455 section 7.4). */
  closed(side: WebSocketSide, code: number, reason: string, at: At): void;
  /** Bytes were passed over in search of a frame. */
  skipped(bytes: number): void;
  /** What carries the WebSocket is at its end. `cause`: in words, where that is not the end of the connection. */
  ended(at: At, cause: string | undefined): void;
}

export interface WebSocketOptions {
  readonly response: ResponseHead;
  /** Of a message, after decompression. */
  readonly max_message_bytes: number;
  readonly collect: () => MessageCollector;
}

/** The heads of a handshake that was not seen. What may be compressed is taken to be so where it says that it is. */
export const JOINED_WEBSOCKET: { readonly request: RequestHead; readonly response: ResponseHead } = {
  request: { kind: 'request', method: 'GET', target: '', headers: new Map(), is_partial: true },
  response: {
    kind: 'response',
    status: 101,
    reason: '',
    headers: new Map([
      ['upgrade', 'websocket'],
      ['sec-websocket-extensions', 'permessage-deflate'],
    ]),
    is_partial: true,
  },
};

/** Did the server agree to speak WebSocket (RFC 6455 section 4.2.2; over HTTP/2, RFC 8441 section 5)? */
export function isWebSocket(request: RequestHead, response: ResponseHead): boolean {
  if (request.protocol !== undefined) return request.protocol === 'websocket' && response.status === 200;
  return response.status === 101 && response.headers.get('upgrade')?.toLowerCase() === 'websocket';
}

/** Reads both directions of a WebSocket, from the end of its handshake on. */
export function createWebSocket<At>(options: WebSocketOptions, sink: WebSocketSink<At>): FramedConnection<At> {
  const terms = deflateTerms(options.response.headers.get('sec-websocket-extensions'));
  const reader = (side: WebSocketSide, keeps_context: boolean) =>
    createMessageReader<At>(
      {
        ...options,
        masked: side === 'sent',
        joined: options.response === JOINED_WEBSOCKET.response,
        inflater: terms === undefined ? undefined : createMessageInflater(keeps_context),
      },
      {
        message: (message, at, start) => sink.message(side, message, at, start),
        damaged: (reason, bytes, at) => sink.damaged(side, reason, bytes, at),
        closed: (code, reason, at) => sink.closed(side, code, reason, at),
        skipped: sink.skipped,
      },
    );
  const sent = reader('sent', terms?.client_no_context_takeover !== true);
  const received = reader('received', terms?.server_no_context_takeover !== true);
  let is_over = false;
  return {
    get between_frames() {
      return sent.between_frames;
    },
    write: sent.push,
    read: received.push,
    writeGap: sent.gap,
    readGap: received.gap,
    close(at, cause) {
      if (is_over) return;
      is_over = true;
      for (const side of [sent, received]) {
        side.release();
        side.stop();
      }
      sink.ended(at, cause);
    },
  };
}
