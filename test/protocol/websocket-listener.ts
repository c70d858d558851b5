import { createWebSocket } from '../../src/protocol/websocket.ts';

export const TAKEOVER = 'permessage-deflate';
export const NO_TAKEOVER = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';

/** A WebSocket whose messages, and what else is told of it, are lines of text. */
export function listen(extensions?: string, max_message_bytes = 1e6) {
  const lines: string[] = [];
  const headers = new Map(extensions === undefined ? [] : [['sec-websocket-extensions', extensions]]);
  let skipped_bytes = 0;
  const socket = createWebSocket<number>(
    {
      response: { kind: 'response', status: 101, reason: '', headers },
      max_message_bytes,
      collect() {
        const pieces: Uint8Array[] = [];
        let bytes = 0;
        return {
          add(data) {
            bytes += data.length;
            pieces.push(data);
            return bytes <= max_message_bytes;
          },
          joined: () => Buffer.concat(pieces),
          release() {},
        };
      },
    },
    {
      message: (side, { kind, data }) =>
        lines.push(`${side} ${kind} ${kind === 'text' ? data.toString() : data.toString('hex')}`),
      damaged: (side, reason, bytes) => lines.push(`${side} ${reason} ${bytes}`),
      closed: (side, code, reason) => lines.push(`${side} close ${code} ${reason}`),
      skipped: (bytes) => (skipped_bytes += bytes),
      ended: (_at, cause) => lines.push(`ended ${cause}`),
    },
  );
  return { lines, socket, skipped_bytes: () => skipped_bytes };
}
