import type { Counters } from '../health/counters.ts';
import type { LlmResponse } from '../model/llm-call.ts';

const NO_RESPONSE: LlmResponse = { finish_reasons: [], messages: [], tool_calls: [], usage: {}, attributes: {} };

export type Attempt = <Result>(action: () => Result, fallback: () => Result) => Result;

/** Runs what reads hostile input: what it throws is counted, and the fallback taken. */
export function createAttempt(counters: Counters): Attempt {
  return (action, fallback) => {
    try {
      return action();
    } catch {
      counters.lost('exchange.provider_failed');
      return fallback();
    }
  };
}

/** What is known of a call whose reader failed. */
export const FAILED_RESULT = { response: NO_RESPONSE, error: undefined, malformed: 'the provider failed on it' };
