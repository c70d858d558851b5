/** What an event that is held takes beside its data, at least: without it, one of no data would be free. */
const EVENT_BYTES = 1024;

/** How much of a bound on memory an event takes that is held. */
export function heldEventBytes({ data }: { readonly data: Uint8Array }): number {
  return EVENT_BYTES + data.length;
}
