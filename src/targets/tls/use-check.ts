import type { TlsDataEvent } from '../../model/event.ts';
import { lookAtPlaintext } from './plaintext-look.ts';

const MAX_IMPLAUSIBLE = 3;
/** Connections that begin with something unclear: of HTTP, each would have been known. */
const MAX_UNCLEAR_BEGINNINGS = 8;
/** Which so many processes have to agree on: one that means to blind us may send what it likes. */
const MIN_UNCLEAR_PROCESSES = 3;

/** Whether functions that were found by inference are what they were taken for. */
export interface UseCheck {
  /** Takes what a probe told. `refused` says why the probes must go; `settled`: both directions are, no more is needed. */
  see(
    event: Pick<TlsDataEvent, 'pid' | 'direction' | 'data' | 'lost_bytes' | 'offset' | 'half'>,
  ): 'open' | 'settled' | { readonly refused: string };
}

interface Direction {
  isKnown: boolean;
  implausible: number;
  unclear_beginnings: number;
  /** Whose they were, as many as are needed. */
  readonly unclear_pids: Set<number>;
}

export function createUseCheck(): UseCheck {
  const fresh = (): Direction => ({ isKnown: false, implausible: 0, unclear_beginnings: 0, unclear_pids: new Set() });
  const directions = { read: fresh(), write: fresh() };
  return {
    see({ pid, direction, data, lost_bytes, offset, half }) {
      const state = directions[direction];
      if (!state.isKnown) {
        const look = lookAtPlaintext(data, lost_bytes);
        if (look === 'protocol') state.isKnown = true;
        else if (look === 'implausible') state.implausible += 1;
        // rustls's objects begin anew, at any byte of a connection, when its keys change.
        else if (offset === 0n && !half) {
          state.unclear_beginnings += 1;
          if (state.unclear_pids.size < MIN_UNCLEAR_PROCESSES) state.unclear_pids.add(pid);
        }
        if (state.implausible >= MAX_IMPLAUSIBLE)
          return { refused: `what it ${direction}s is no plaintext (${state.implausible} calls)` };
        const isAgreed = state.unclear_pids.size >= MIN_UNCLEAR_PROCESSES;
        if (isAgreed && state.unclear_beginnings >= MAX_UNCLEAR_BEGINNINGS)
          return { refused: `what it ${direction}s begins like no protocol (${state.unclear_beginnings} connections)` };
      }
      return directions.read.isKnown && directions.write.isKnown ? 'settled' : 'open';
    },
  };
}
