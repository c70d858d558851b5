/** What is told of HTTP messages, whatever version carries them. */

export interface RequestHead {
  readonly kind: 'request';
  readonly method: string;
  readonly target: string;
  /** Names in lower case; of a repeated one the values are joined by `, `. `host` is HTTP/2's `:authority`, too. */
  readonly headers: ReadonlyMap<string, string>;
  /** There are more header fields, which are not known. */
  readonly is_partial?: boolean;
  /** What a CONNECT of HTTP/2 asks to speak instead (RFC 8441 section 4). */
  readonly protocol?: string;
}

export interface ResponseHead {
  readonly kind: 'response';
  readonly status: number;
  /** '' in HTTP/2. */
  readonly reason: string;
  readonly headers: ReadonlyMap<string, string>;
  /** There are more header fields, which are not known. */
  readonly is_partial?: boolean;
}

/**
 * How a response came to its end. `closed`: with the connection, as its head said. `cut`: too early, with the connection or
 * because a side said so. `lost`: the next message began, or its end was not seen.
 */
export type ResponseEnd = 'whole' | 'closed' | 'cut' | 'lost';

/** Hears of one exchange: a request and, in the end always, its response. */
export interface ExchangeListener<At> {
  requestBody(data: Uint8Array, at: At): void;
  /** `bytes` 0: some are missing, but it is not known how many. */
  requestGap(bytes: number, at: At): void;
  requestEnd(at: At, whole: boolean): void;
  /** The final response; interim ones (1xx) are not told. */
  responseHead(head: ResponseHead, at: At): void;
  responseBody(data: Uint8Array, at: At): void;
  /** `bytes` 0: some are missing, but it is not known how many. */
  responseGap(bytes: number, at: At): void;
  /** Fields that came behind the body of a response; only of HTTP/2. */
  responseTrailers?(fields: ReadonlyMap<string, string>, at: At): void;
  /** Bytes came where the response should begin, and are none. */
  responseMalformed(at: At): void;
  /** `cause`: what ended it, in words, where that is not the end of the connection. */
  responseEnd(at: At, how: ResponseEnd, cause?: string): void;
}

/** What makes the calls told of fewer than those made. */
export type HttpLoss = 'malformed' | 'too_many_pipelined' | 'too_many_streams';
/** What is normal: a connection older than the watching, an answer nobody asked for, bytes of no message. */
export type HttpCount = 'joined_midstream' | 'orphan_response' | 'skipped_bytes';

export interface HttpSink<At> {
  /** Exchanges that may be open at once on a connection of HTTP/2; of too many, the oldest is given up. */
  readonly max_streams: number;
  /** A request was begun. undefined: nobody wants to hear of it. */
  request(head: RequestHead, at: At, start: At): ExchangeListener<At> | undefined;
  /**
   * A response comes whose request was not seen, or whose request's head could not be read. Where its own head was not
   * seen, what is told of its body begins anywhere in it. undefined: nobody wants to hear of it.
   */
  orphan?(at: At): ExchangeListener<At> | undefined;
  /** The server agreed to speak another protocol from here on: who reads it? undefined: nobody can. */
  upgrade(request: RequestHead, response: ResponseHead, at: At): FramedConnection<At> | undefined;
  /**
   * What the connection speaks from here on cannot be read. `http2`: some of it cannot, the rest is read on. `server`: the
   * watched side is the server.
   */
  protocol(protocol: 'http2' | 'websocket' | 'unknown' | 'server', at: At): void;
  lost(reason: HttpLoss): void;
  counted(reason: HttpCount, amount?: number): void;
}

/** A connection as its client sees it: requests are written, responses read. */
export interface HttpConnection<At> {
  write(data: Uint8Array, at: At): void;
  read(data: Uint8Array, at: At): void;
  writeGap(bytes: number, at: At): void;
  readGap(bytes: number, at: At): void;
  /** Ends every exchange that is open. */
  close(at: At): void;
}

/** A protocol that puts what it says in frames: HTTP/2, or one that HTTP turned a connection or a stream over to. */
export interface FramedConnection<At> extends HttpConnection<At> {
  /** `cause`: what ended it, in words, where that is not the end of the connection. */
  close(at: At, cause?: string): void;
  /** What is written next belongs to nothing that was begun, as far as is known. */
  readonly between_frames: boolean;
}
