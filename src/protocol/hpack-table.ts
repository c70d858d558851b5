import { type HeaderField, HPACK_STATIC_TABLE } from './hpack-static-table.ts';

/** What a decoder keeps of the fields that were sent before (RFC 7541 section 2.3). */
export interface HpackTable {
  /** The field at an index, static ones first; undefined: there is none. */
  at(index: number): HeaderField | undefined;
  insert(field: HeaderField): void;
  /** The sender told how much the table may hold. */
  limit(table_bytes: number): void;
  /** Fields were inserted that we did not see: of those before, no index is known any longer. */
  lose(): void;
}

const UNKNOWN_FIELD: HeaderField = { name: undefined, value: undefined };
const ENTRY_OVERHEAD_BYTES = 32;
/** Where nobody said otherwise (RFC 9113 section 6.5.2). */
export const DEFAULT_TABLE_BYTES = 4096;
/** More is not kept, whatever the sender is allowed. */
const MAX_HELD_BYTES = 64 * 1024;

/** `joined`: the sender's table may hold fields already. */
export function createHpackTable(joined: boolean): HpackTable {
  /** The newest first. */
  let entries: HeaderField[] = [];
  let held_bytes = 0;
  /**
   * Where we do not know the sender's limit, ours may be larger: indices count from the newest field, so that what is
   * kept too long is only never asked for.
   */
  let limit_bytes = joined ? MAX_HELD_BYTES : DEFAULT_TABLE_BYTES;
  /** The sender's table may hold more than ours, always older fields. */
  let has_unknown = joined;

  const evict = (): void => {
    while (held_bytes > limit_bytes) held_bytes -= sizeOf(entries.pop() ?? UNKNOWN_FIELD);
  };

  return {
    at(index) {
      if (index <= HPACK_STATIC_TABLE.length) return HPACK_STATIC_TABLE[index - 1];
      return entries[index - HPACK_STATIC_TABLE.length - 1] ?? (has_unknown ? UNKNOWN_FIELD : undefined);
    },
    insert(field) {
      entries.unshift(field);
      held_bytes += sizeOf(field);
      evict();
    },
    limit(table_bytes) {
      if (table_bytes > MAX_HELD_BYTES) has_unknown = true;
      else if (table_bytes === 0) has_unknown = false;
      limit_bytes = Math.min(table_bytes, MAX_HELD_BYTES);
      evict();
    },
    lose() {
      entries = [];
      held_bytes = 0;
      limit_bytes = MAX_HELD_BYTES;
      has_unknown = true;
    },
  };
}

/** RFC 7541 section 4.1; at least that, where a part is not known. */
function sizeOf({ name = '', value = '' }: HeaderField): number {
  return name.length + value.length + ENTRY_OVERHEAD_BYTES;
}
