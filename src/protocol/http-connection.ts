import type { FramedConnection, HttpConnection } from './http-exchange.ts';
import { createHttp1Connection, type Http1Sink } from './http1.ts';
import { startsMessage } from './http1-parser.ts';
import { createHttp2Connection } from './http2.ts';
import { HTTP2_PREFACE_LINE, startsWithHttp2Preface } from './http2-frame.ts';

export interface AnyHttpConnection<At> extends HttpConnection<At> {
  /** Does a written piece show that another connection began, on what carried this one? */
  isRestartedBy(data: Uint8Array): boolean;
}

const PREFACE_LINE = Buffer.from(`${HTTP2_PREFACE_LINE}\r\n`);

/** Does a piece begin as a client does: with a request, or with the preface of HTTP/2? */
export function startsHttpConnection(data: Uint8Array): boolean {
  return startsMessage(data, 'request') || startsWithHttp2Preface(data);
}

/** Reads a connection of either version of HTTP, which shows in its first bytes. */
export function createHttpConnection<At>(sink: Omit<Http1Sink<At>, 'http2' | 'tunnel'>): AnyHttpConnection<At> {
  /** What took over from HTTP/1. */
  let framed: FramedConnection<At> | undefined;
  let has_requested = false;
  let has_written_frames = false;
  const http1 = createHttp1Connection<At>({
    ...sink,
    request(head, at, start) {
      has_requested = true;
      return sink.request(head, at, start);
    },
    upgrade(request, response, at) {
      framed = sink.upgrade(request, response, at);
      return framed;
    },
    http2(begun, at) {
      framed = createHttp2Connection(sink, begun === 'frames');
      if (begun === 'preface') connection.write(PREFACE_LINE, at);
    },
    tunnel(direction, data, at) {
      if (framed === undefined) return;
      if (direction === 'write') connection.write(data, at);
      else connection.read(data, at);
    },
  });
  const connection: AnyHttpConnection<At> = {
    write(data, at) {
      has_written_frames ||= framed !== undefined;
      (framed ?? http1).write(data, at);
    },
    read: (data, at) => (framed ?? http1).read(data, at),
    writeGap: (bytes, at) => (framed ?? http1).writeGap(bytes, at),
    readGap: (bytes, at) => (framed ?? http1).readGap(bytes, at),
    close: (at) => (framed ?? http1).close(at),
    isRestartedBy(data) {
      if (framed === undefined) return has_requested && startsWithHttp2Preface(data);
      return has_written_frames && framed.between_frames && startsHttpConnection(data);
    },
  };
  return connection;
}
