import type { Config } from './config/components.ts';
import { createCorrelate } from './correlate/correlate.ts';
import { createExchange } from './exchange/exchange.ts';
import { fanOut } from './fan-out.ts';
import type { Counters } from './health/counters.ts';
import { createDecode } from './kernel/decode.ts';
import type { Intake } from './kernel/intake.ts';
import type { Event, UnreadTrafficEvent } from './model/event.ts';
import type { Span } from './model/span.ts';
import { createOrder } from './order/order.ts';
import { providers } from './providers/providers.ts';
import { createExcludePaths } from './redact/exclude-paths.ts';
import { createRedact } from './redact/redact-stage.ts';
import { createSpans } from './spans/spans.ts';
import type { Stage } from './stage.ts';

export interface PipelineOptions {
  readonly config: Config;
  readonly counters: Counters;
  readonly exporters: readonly Stage<Span>[];
  /** Sees every event as it was decoded: what user space does because of it. Nothing in a replay. */
  readonly onEvent?: (event: Event) => void;
  /** Hears of each connection that cannot be read. */
  readonly onUnread?: (event: UnreadTrafficEvent) => void;
}

/** The whole way of the data, from records to exporters: read it upwards. */
export function createPipeline({ config, counters, exporters, onEvent, onUnread }: PipelineOptions): Intake {
  const spans = createSpans({ ...config.spans, counters }, fanOut(exporters));
  const correlate = createCorrelate({ ...config.correlate, counters }, spans);
  const redact = createRedact(config.redact, correlate, counters);
  const exchange = createExchange({ ...config.exchange, providers, counters, onUnread }, redact);
  const exclude = createExcludePaths(config.receiver.exclude.paths, exchange, counters);
  const order = createOrder({ window_ns: config.receiver.reorder_window, counters }, exclude);
  return createDecode({ counters }, onEvent === undefined ? order : tap(onEvent, order));
}

/** Shows every item to `see`, after it was passed on. */
function tap<In>(see: (item: In) => void, next: Stage<In>): Stage<In> {
  return {
    push(item) {
      next.push(item);
      see(item);
    },
    tick: (now_ns) => next.tick?.(now_ns),
    close: () => next.close?.(),
  };
}
