import type { TlsDataEvent } from '../../model/event.ts';
import { lookAtPlaintext } from './plaintext-look.ts';

const MAX_IMPLAUSIBLE = 3;
/** Connections that begin with something unclear: of HTTP, each would have been known. */
const MAX_UNCLEAR_BEGINNINGS = 8;

/** Whether functions that were found by inference are what they were taken for. */
export interface UseCheck {
  /** Takes what a probe told. `refused` says why the probes must go; `settled`: both directions are, no more is needed. */
  see(
    event: Pick<TlsDataEvent, 'direction' | 'data' | 'lost_bytes' | 'offset' | 'half'>,
  ): 'open' | 'settled' | { readonly refused: string };
}

interface Direction {
  isKnown: boolean;
  implausible: number;
  unclear_beginnings: number;
}

export function createUseCheck(): UseCheck {
  const fresh = (): Direction => ({ isKnown: false, implausible: 0, unclear_beginnings: 0 });
  const directions = { read: fresh(), write: fresh() };
  return {
    see({ direction, data, lost_bytes, offset, half }) {
      const state = directions[direction];
      if (!state.isKnown) {
        const look = lookAtPlaintext(data, lost_bytes);
        if (look === 'protocol') state.isKnown = true;
        else if (look === 'implausible') state.implausible += 1;
        // rustls's objects begin anew, at any byte of a connection, when its keys change.
        else if (offset === 0n && !half) state.unclear_beginnings += 1;
        if (state.implausible >= MAX_IMPLAUSIBLE)
          return { refused: `what it ${direction}s is no plaintext (${state.implausible} calls)` };
        if (state.unclear_beginnings >= MAX_UNCLEAR_BEGINNINGS)
          return { refused: `what it ${direction}s begins like no protocol (${state.unclear_beginnings} connections)` };
      }
      return directions.read.isKnown && directions.write.isKnown ? 'settled' : 'open';
    },
  };
}
