import type { ReceiverOptions } from '../config/receiver-options.ts';
import { printable } from '../export/console/printable-text.ts';
import { type Counters, createCounters } from '../health/counters.ts';
import type { Intake } from '../kernel/intake.ts';
import { createRecorder } from '../kernel/recorder.ts';
import { createLive, type Live } from '../live.ts';
import type { Event, UnreadTrafficEvent } from '../model/event.ts';
import { createLivingTree, type LivingTree } from './living-tree.ts';
import { describeLosses, type LossPlace } from './losses.ts';
import { OBJECT_PATH } from './object-path.ts';
import { holdStopSignals } from './stop-signal.ts';
import type { Terminal } from './terminal.ts';
import { readVersion } from './version.ts';

export interface ObservationOptions {
  readonly receiver: ReceiverOptions;
  /** Look for agents among all processes. */
  readonly is_daemon: boolean;
  /** What the user gets of it. */
  readonly result: LossPlace;
  /** File for the raw records. */
  readonly record_path: string | undefined;
  /** Where everything goes. */
  readonly createIntake: (context: {
    readonly counters: Counters;
    readonly warn: (message: string) => void;
    readonly onEvent: (event: Event) => void;
    readonly onUnread: (event: UnreadTrafficEvent) => void;
  }) => Intake;
}

/** The kernel under watch, from start to end. */
export interface Observation {
  readonly live: Live;
  /** What was started under watch and still runs. */
  readonly running: LivingTree;
  /**
   * Gives out all that has happened, and waits until it has arrived. From here on no signal to stop ends the program; one that
   * comes while an exporter is waited for (of `run`, the second) gives up on the exporters.
   */
  end(): Promise<void>;
  /** After `end`: says what was lost, and takes the probes away. Ends the program soon when exporters were given up. */
  close(): Promise<void>;
}

/** Starts to watch. Throws SetupError where that cannot be. */
export function startObservation(options: ObservationOptions, terminal: Terminal): Observation {
  const { receiver, is_daemon, record_path } = options;
  const warn = (message: string) => terminal.err(`undersight: ${printable(message)}\n`);
  const counters = createCounters();
  const live = createLive({ object_path: OBJECT_PATH, receiver, version: readVersion(), is_daemon, counters, warn });
  const running = createLivingTree();
  const pipeline = options.createIntake({
    counters,
    warn,
    onEvent(event) {
      running.see(event);
      live.onEvent(event);
    },
    onUnread: (event) => live.onUnread(event),
  });
  const intake = record_path === undefined ? pipeline : createRecorder({ path: record_path, counters, warn }, pipeline);
  live.start(intake);
  let gave_up = false;
  return {
    live,
    running,
    async end() {
      await new Promise<void>((resolve, reject) => {
        let is_waiting = true;
        // Who ends `watch` has asked once already.
        let is_warned = is_daemon;
        holdStopSignals(() => {
          if (!is_waiting) return;
          if (!is_warned) {
            is_warned = true;
            warn('waiting for exporters to take what was seen; once more ends that');
            return;
          }
          is_waiting = false;
          gave_up = true;
          warn('exporters were not waited for: spans that they had not taken yet are lost to them');
          resolve();
        });
        live.drain();
        Promise.resolve(intake.close?.())
          .finally(() => {
            is_waiting = false;
          })
          .then(resolve, reject);
      });
    },
    async close() {
      for (const line of describeLosses(counters, options.result)) warn(line);
      await live.close();
      // What an exporter still does would hold us here.
      if (gave_up) setImmediate(() => process.exit());
    },
  };
}
