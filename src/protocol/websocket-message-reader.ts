import { isUtf8 } from 'node:buffer';
import type { MessageInflater } from './websocket-deflate.ts';
import { OPCODE } from './websocket-frame.ts';
import { createFrameReader, type FrameReader } from './websocket-frame-reader.ts';

export interface WebSocketMessage {
  readonly kind: 'text' | 'binary';
  /** In plain. A text is valid UTF-8. */
  readonly data: Buffer;
  /** As sent, before decompression. */
  readonly payload_bytes: number;
}

/** Why a message cannot be read. */
export type WebSocketDamage = 'lost_bytes' | 'malformed' | 'too_large' | 'decompression';

export interface WebSocketMessageSink<At> {
  message(message: WebSocketMessage, at: At, start: At): void;
  /** Messages, or a part of one, passed that cannot be read. `bytes` 0: it is not known how many. */
  damaged(reason: WebSocketDamage, bytes: number, at: At): void;
  /** The last frame came. */
  closed(code: number, reason: string, at: At): void;
  skipped(bytes: number): void;
}

/** Keeps the pieces of one message. */
export interface MessageCollector {
  /** False: there is no room for it, and what was collected is gone. */
  add(data: Uint8Array): boolean;
  joined(): Buffer;
  /** Gives the room back. */
  release(): void;
}

export interface WebSocketMessageOptions {
  readonly masked: boolean;
  /** The beginning was not seen. */
  readonly joined: boolean;
  /** undefined: messages are not compressed. */
  readonly inflater: MessageInflater | undefined;
  /** Of a message in plain. */
  readonly max_message_bytes: number;
  readonly collect: () => MessageCollector;
}

/** The code of a close frame that names none (RFC 6455 section 7.1.5). */
const NO_CODE = 1005;

interface Assembly<At> {
  readonly kind: WebSocketMessage['kind'];
  readonly compressed: boolean;
  readonly start: At;
  readonly body: MessageCollector;
  payload_bytes: number;
  missing_bytes: number;
  damage: WebSocketDamage | undefined;
}

/** Puts the messages of one direction together: fragments, control frames between them, compression (RFC 6455, RFC 7692). */
export function createMessageReader<At>(
  options: WebSocketMessageOptions,
  sink: WebSocketMessageSink<At>,
): FrameReader<At> & { /** Gives up a message in progress. */ release(): void } {
  const { masked, joined, inflater, max_message_bytes } = options;
  let message: Assembly<At> | undefined;
  /** The payload of a control frame; undefined while a frame of a message is read. */
  let control: { readonly opcode: number; pieces: Uint8Array[]; whole: boolean } | undefined;
  /** The frame that is read belongs to a message whose beginning is not known. */
  let is_orphan = false;
  let is_last = false;

  const drop = (): void => {
    message?.body.release();
    message = undefined;
    control = undefined;
  };
  const give = ({ kind, compressed, start, body, payload_bytes }: Assembly<At>, at: At): void => {
    const joined = body.joined();
    body.release();
    const data = compressed && inflater !== undefined ? inflater.inflate(joined, max_message_bytes) : joined;
    if (typeof data === 'string') sink.damaged(data, payload_bytes, at);
    else if (kind === 'text' && !isUtf8(data)) sink.damaged('malformed', payload_bytes, at);
    else sink.message({ kind, data, payload_bytes }, at, start);
  };
  const endMessage = (whole: Assembly<At>, at: At): void => {
    message = undefined;
    if (whole.damage === undefined) {
      give(whole, at);
      return;
    }
    whole.body.release();
    if (whole.compressed) inflater?.lose();
    sink.damaged(whole.damage, whole.damage === 'lost_bytes' ? whole.missing_bytes : whole.payload_bytes, at);
  };
  const endControl = ({ opcode, pieces, whole }: NonNullable<typeof control>, at: At): void => {
    control = undefined;
    if (opcode !== OPCODE.close) return;
    const payload = Buffer.concat(pieces);
    const code = payload.length >= 2 ? payload.readUInt16BE(0) : NO_CODE;
    drop();
    frames.stop();
    sink.closed(code, whole ? payload.toString('utf8', 2) : '', at);
  };

  const frames = createFrameReader<At>({ masked, compressible: inflater !== undefined }, joined, {
    begin(header, at, start) {
      is_orphan = false;
      if (header.opcode >= OPCODE.close) {
        control = { opcode: header.opcode, pieces: [], whole: true };
        return;
      }
      is_last = header.fin;
      if (header.opcode === OPCODE.continuation) {
        is_orphan = message === undefined;
        return;
      }
      if (message !== undefined) {
        const { compressed, payload_bytes } = message;
        drop();
        if (compressed) inflater?.lose();
        sink.damaged('malformed', payload_bytes, at);
      }
      const kind = header.opcode === OPCODE.text ? 'text' : 'binary';
      const body = options.collect();
      const compressed = header.rsv1;
      message = { kind, compressed, start, body, payload_bytes: 0, missing_bytes: 0, damage: undefined };
    },
    payload(data) {
      if (control !== undefined) control.pieces.push(data);
      else if (message !== undefined) {
        message.payload_bytes += data.length;
        if (message.damage === undefined && !message.body.add(data)) message.damage = 'too_large';
      }
    },
    gap(bytes) {
      if (control !== undefined) control.whole = false;
      else if (message !== undefined) {
        message.body.release();
        message.missing_bytes += bytes;
        message.payload_bytes += bytes;
        message.damage = 'lost_bytes';
      }
    },
    end(at) {
      if (control !== undefined) endControl(control, at);
      else if (message !== undefined && is_last) endMessage(message, at);
      else if (is_orphan && is_last) {
        inflater?.lose();
        sink.damaged('malformed', 0, at);
      }
    },
    lost(reason, bytes, at) {
      drop();
      inflater?.lose();
      sink.damaged(reason, bytes, at);
    },
    skipped: (bytes) => sink.skipped(bytes),
  });
  return {
    get between_frames() {
      return frames.between_frames;
    },
    push: frames.push,
    gap: frames.gap,
    stop: frames.stop,
    release: drop,
  };
}
