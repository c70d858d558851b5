import { BoundedMap } from '../model/bounded-map.ts';
import type { NetPayloadEvent } from '../model/event.ts';

/** Joins a ClientHello that was written bit by bit. */
export interface HelloPieces {
  /** The same with all that came of it so far. */
  join(event: NetPayloadEvent): NetPayloadEvent;
  /** More is to come of the one that a socket began. */
  awaits(socket_id: bigint): boolean;
}

const MAX_BEGUN = 256;
const MAX_HELLO_BYTES = 4096;
const RECORD_HEAD_BYTES = 5;

export function createHelloPieces(): HelloPieces {
  const begun = new BoundedMap<bigint, Uint8Array>(MAX_BEGUN);
  return {
    join(event) {
      const { socket_id } = event;
      const before = begun.get(socket_id);
      const payload = before === undefined ? event.payload : Buffer.concat([before, event.payload]);
      if (payload.length < expectedBytes(payload)) begun.set(socket_id, payload);
      else begun.delete(socket_id);
      return { ...event, payload };
    },
    awaits: (socket_id) => begun.get(socket_id) !== undefined,
  };
}

/** Of the first record (RFC 8446 section 5.1); 0: it is not known, or too much. */
function expectedBytes(payload: Uint8Array): number {
  if (payload.length < RECORD_HEAD_BYTES) return 0;
  const bytes = RECORD_HEAD_BYTES + ((payload[3] ?? 0) << 8) + (payload[4] ?? 0);
  return bytes < MAX_HELLO_BYTES ? bytes : 0;
}
