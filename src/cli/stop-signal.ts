const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Resolves at the first signal that asks us to stop. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const release = holdStopSignals(() => {
      release();
      resolve();
    });
  });
}

/** Signals that ask us to stop only call `onSignal`, until the function that this gives is called. */
export function holdStopSignals(onSignal: () => void): () => void {
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
  };
}
