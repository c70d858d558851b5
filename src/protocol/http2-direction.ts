import { createHpackDecoder, type HeaderBlock } from './hpack.ts';
import { FRAME_FLAG, FRAME_TYPE, type FrameHead } from './http2-frame.ts';
import { createHttp2FrameReader, type Http2FrameReader } from './http2-frame-reader.ts';
import { createHeaderFragments, type HeaderFragments } from './http2-header-block.ts';
import { type Http2Settings, parseSettings } from './http2-settings.ts';

/** What the frames of one direction say; `At` is whatever the caller knows of the piece a byte came in. */
export interface Http2DirectionSink<At> {
  /** A header block, its frame begun at `start`; undefined: it could not be read. */
  headers(stream: number, block: HeaderBlock | undefined, end_stream: boolean, at: At, start: At): void;
  data(stream: number, data: Uint8Array, at: At): void;
  dataGap(stream: number, bytes: number, at: At): void;
  /** The stream was ended by a DATA frame. */
  end(stream: number, at: At): void;
  /** `error_code` undefined: not known. */
  reset(stream: number, error_code: number | undefined, at: At): void;
  /** Streams after `last_stream` are not taken. */
  goaway(last_stream: number, error_code: number, at: At): void;
  /** undefined: it was sent, but could not be read. */
  settings(settings: Http2Settings | undefined): void;
  settingsAcknowledged(): void;
  preface(at: At): void;
  lost(bytes: number, at: At): void;
  skipped(bytes: number, at: At): void;
  isLikelyStream(stream: number): boolean | undefined;
}

export interface Http2Direction<At> extends Http2FrameReader<At> {
  /** What the receiver allows the sender's header table; undefined: not known. */
  allowTable(table_bytes: number | undefined): void;
}

/** Frames whose payload is read when it is whole. */
const COLLECTED_TYPES: ReadonlySet<number> = new Set([
  FRAME_TYPE.headers,
  FRAME_TYPE.reset,
  FRAME_TYPE.settings,
  FRAME_TYPE.push_promise,
  FRAME_TYPE.goaway,
  FRAME_TYPE.continuation,
]);
const MAX_COLLECTED_BYTES = 256 * 1024;
const STREAM_MASK = 0x7fff_ffff;

/** Reads one direction of an HTTP/2 connection (RFC 9113). `joined`: its beginning was not seen. */
export function createHttp2Direction<At>(joined: boolean, sink: Http2DirectionSink<At>): Http2Direction<At> {
  let decoder = createHpackDecoder(true);
  let is_first_frame = true;
  let frame: FrameHead = { type: FRAME_TYPE.ping, flags: 0, stream: 0, payload_bytes: 0 };
  let block: HeaderFragments<At> | undefined;
  /** The payload of a frame that is read as a whole; undefined: it is not to be read, or not whole. */
  let pieces: Uint8Array[] | undefined;
  /** Of a DATA frame: how much of its data is to come. undefined: the length of its padding comes first. */
  let data_left: number | undefined;

  const has = (flag: keyof typeof FRAME_FLAG): boolean => (frame.flags & FRAME_FLAG[flag]) !== 0;

  const endBlock = (at: At): void => {
    if (block === undefined) return;
    const { stream, end_stream, is_promise, start } = block;
    const whole = block.joined();
    block = undefined;
    if (whole === undefined) decoder.lose();
    const decoded = whole && decoder.decode(whole);
    if (!is_promise) sink.headers(stream, decoded, end_stream, at, start);
  };
  const breakBlock = (at: At): void => {
    block?.add(frame, undefined);
    endBlock(at);
  };
  const endHeaders = (payload: Uint8Array | undefined, at: At): void => {
    if (block === undefined) decoder.lose();
    block?.add(frame, payload);
    if (has('end_headers')) endBlock(at);
  };
  const endSettings = (payload: Uint8Array | undefined): void => {
    if (has('ack')) sink.settingsAcknowledged();
    else sink.settings(payload && parseSettings(payload));
  };
  const endFrame = (at: At): void => {
    const payload = pieces && (pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
    pieces = undefined;
    switch (frame.type) {
      case FRAME_TYPE.data:
        if (has('end_stream')) sink.end(frame.stream, at);
        return;
      case FRAME_TYPE.headers:
      case FRAME_TYPE.push_promise:
      case FRAME_TYPE.continuation:
        endHeaders(payload, at);
        return;
      case FRAME_TYPE.reset:
        sink.reset(frame.stream, payload && readUint32(payload, 0), at);
        return;
      case FRAME_TYPE.settings:
        endSettings(payload);
        return;
      case FRAME_TYPE.goaway:
        if (payload) sink.goaway(readUint32(payload, 0) & STREAM_MASK, readUint32(payload, 4), at);
    }
  };
  const readData = (payload: Uint8Array, at: At): void => {
    let data = payload;
    if (data_left === undefined) {
      data_left = Math.max(0, frame.payload_bytes - 1 - (payload[0] ?? 0));
      data = payload.subarray(1);
    }
    data = data.subarray(0, data_left);
    data_left -= data.length;
    if (data.length > 0) sink.data(frame.stream, data, at);
  };

  const frames = createHttp2FrameReader<At>(joined, {
    begin(begun, at, start) {
      const expected = block?.stream;
      if (expected !== undefined && (begun.type !== FRAME_TYPE.continuation || begun.stream !== expected))
        breakBlock(at);
      frame = begun;
      const is_collected = COLLECTED_TYPES.has(frame.type) && frame.payload_bytes <= MAX_COLLECTED_BYTES;
      pieces = is_collected ? [] : undefined;
      data_left = has('padded') ? undefined : frame.payload_bytes;
      if (is_first_frame && frame.type === FRAME_TYPE.settings && !has('ack')) decoder = createHpackDecoder(false);
      is_first_frame = false;
      if (frame.type === FRAME_TYPE.headers || frame.type === FRAME_TYPE.push_promise) {
        block = createHeaderFragments(frame, start);
      }
    },
    payload(data, at) {
      if (frame.type === FRAME_TYPE.data) readData(data, at);
      else pieces?.push(data);
    },
    payloadGap(bytes, at) {
      pieces = undefined;
      if (frame.type !== FRAME_TYPE.data) return;
      const missing = Math.min(bytes, data_left ?? bytes);
      // Without the length of the padding, the rest of the frame cannot be told from it.
      data_left = data_left === undefined ? 0 : data_left - missing;
      sink.dataGap(frame.stream, missing, at);
    },
    end: endFrame,
    lost(bytes, at) {
      is_first_frame = false;
      breakBlock(at);
      decoder.lose();
      sink.lost(bytes, at);
    },
    skipped(bytes, at) {
      is_first_frame = false;
      sink.skipped(bytes, at);
    },
    preface: sink.preface,
    isLikelyStream: sink.isLikelyStream,
  });
  return {
    ...frames,
    get between() {
      return frames.between;
    },
    allowTable: (table_bytes) => decoder.allow(table_bytes),
  };
}

function readUint32(bytes: Uint8Array, from: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(from);
}
