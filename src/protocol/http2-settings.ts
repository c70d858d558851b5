import { DEFAULT_TABLE_BYTES } from './hpack-table.ts';

/** What one side of a connection allows the other (RFC 9113 section 6.5), of what matters for reading. */
export interface Http2Settings {
  readonly table_bytes: number | undefined;
  readonly max_frame_bytes: number | undefined;
}

const SETTING_BYTES = 6;
const HEADER_TABLE_SIZE = 1;
const MAX_FRAME_SIZE = 5;
const MAX_UNACKNOWLEDGED = 32;

export function parseSettings(payload: Uint8Array): Http2Settings {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  let table_bytes: number | undefined;
  let max_frame_bytes: number | undefined;
  for (let from = 0; from + SETTING_BYTES <= payload.length; from += SETTING_BYTES) {
    const value = view.getUint32(from + 2);
    if (view.getUint16(from) === HEADER_TABLE_SIZE) table_bytes = value;
    else if (view.getUint16(from) === MAX_FRAME_SIZE) max_frame_bytes = value;
  }
  return { table_bytes, max_frame_bytes };
}

/** How large a header table one side allows: what it sent counts from the moment the other one acknowledges it. */
export interface TableAllowance {
  /** undefined: the settings say nothing of it. */
  sent(table_bytes: number | undefined): void;
  /** Gives what counts now; undefined: not known, since settings were missed. */
  acknowledged(): number | undefined;
  lose(): void;
}

/** `joined`: what was sent before is not known. */
export function createTableAllowance(joined: boolean): TableAllowance {
  let is_known = !joined;
  let sent_bytes = DEFAULT_TABLE_BYTES;
  let current_bytes = DEFAULT_TABLE_BYTES;
  let unacknowledged: number[] = [];
  const allowance: TableAllowance = {
    sent(table_bytes) {
      sent_bytes = table_bytes ?? sent_bytes;
      unacknowledged.push(sent_bytes);
      if (unacknowledged.length > MAX_UNACKNOWLEDGED) allowance.lose();
    },
    acknowledged() {
      current_bytes = unacknowledged.shift() ?? current_bytes;
      return is_known ? current_bytes : undefined;
    },
    lose() {
      is_known = false;
      unacknowledged = [];
    },
  };
  return allowance;
}
