import type { Counters } from '../../health/counters.ts';
import { formatDuration } from '../../model/quantity.ts';
import type { Span } from '../../model/span.ts';
import type { Stage } from '../../stage.ts';
import { capturesContent } from '../capture-content.ts';
import { type Endpoint, grpcEndpoint, httpEndpoint, shownUrl } from './endpoint.ts';
import { createGrpcClient } from './grpc-client.ts';
import { createHttpClient } from './http-client.ts';
import type { OtlpGrpcOptions, OtlpHttpOptions } from './options.ts';
import type { SendFailure } from './send-failure.ts';
import { createSpanQueue } from './span-queue.ts';
import type { TraceClient } from './trace-client.ts';

export type OtlpConfig =
  | { readonly type: 'otlp_grpc'; readonly options: OtlpGrpcOptions }
  | { readonly type: 'otlp_http'; readonly options: OtlpHttpOptions };

export interface OtlpSurroundings {
  readonly counters: Counters;
  /** Is told once per outage, once per burst of dropped spans, and at the end how many were not sent. */
  readonly warn: (message: string) => void;
  readonly env: NodeJS.ProcessEnv;
}

const NS_PER_MS = 1e6;
const FLUSH_INTERVAL_MS = 1000;
const BACKOFF_FACTOR = 1.5;
/** While it closes, there is no time for long pauses. */
const CLOSING_INTERVAL_MS = 500;

/**
 * Sends spans to an OTLP endpoint in batches, one at a time, apart from the pipeline, which never waits for it. `close` sends
 * what is left, for `close_timeout` at most; at once it gives up on an endpoint that never took anything. Counts under
 * `otlp.`: exported, failed (refused, or given up after `max_elapsed_time`), queue_full, unsent (at the end), not_sampled.
 * Throws SetupError when the endpoint is no address or a certificate cannot be read.
 */
export function createOtlpExporter(config: OtlpConfig, { counters, warn, env }: OtlpSurroundings): Stage<Span> {
  const { options } = config;
  const retry = options.retry_on_failure;
  const include_content = options.include_content ?? capturesContent(env);
  const endpoint = config.type === 'otlp_grpc' ? grpcEndpoint(config.options, env) : httpEndpoint(config.options, env);
  const client = createClient(config, endpoint, include_content);
  const queue = createSpanQueue(options.sending_queue.queue_size, include_content);
  /** Ends the pause between two attempts, or the attempt that is under way. */
  let endPause = () => {};
  let endAttempt = () => {};
  let is_stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let draining: Promise<void> | undefined;
  let closed: Promise<void> | undefined;
  let in_flight_count = 0;
  let ever_taken = false;
  let outage_told = false;
  let burst_told = false;
  let lost_count = 0;
  /** Of an outage that showed only at the end: told with what it cost. */
  let last_reason: string | undefined;

  function tellOutage(reason: string): void {
    if (outage_told) return;
    outage_told = true;
    if (closed === undefined) warn(describeOutage(reason));
    else last_reason = reason;
  }

  function describeOutage(reason: string): string {
    return `${shownUrl(endpoint)} does not take spans over OTLP: ${reason}`;
  }

  function lose(reason: string, count: number): void {
    counters.lost(reason, count);
    lost_count += count;
  }

  function wait(interval_ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timeout = setTimeout(resolve, interval_ms);
      timeout.unref();
      endPause = () => {
        clearTimeout(timeout);
        resolve();
      };
    });
  }

  function attempt(batch: readonly Span[]): Promise<SendFailure | 'stopped' | undefined> {
    return new Promise((resolve) => {
      endAttempt = () => resolve('stopped');
      if (is_stopped) endAttempt();
      else client.send(batch).then(resolve);
    });
  }

  /** False: there is no use in going on. */
  async function deliver(batch: readonly Span[]): Promise<boolean> {
    const begin_ms = performance.now();
    let interval_ms = Number(retry.initial_interval) / NS_PER_MS;
    for (;;) {
      in_flight_count = batch.length;
      const failure = await attempt(batch);
      if (failure === 'stopped') return false;
      if (failure === undefined) {
        counters.counted('otlp.exported', batch.length);
        in_flight_count = 0;
        ever_taken = true;
        outage_told = false;
        return true;
      }
      tellOutage(failure.reason);
      const elapsed_ns = (performance.now() - begin_ms) * NS_PER_MS;
      const too_late = retry.max_elapsed_time > 0n && elapsed_ns >= Number(retry.max_elapsed_time);
      if (!failure.retryable || !retry.enabled || too_late) {
        lose('otlp.failed', batch.length);
        in_flight_count = 0;
        return true;
      }
      if (closed !== undefined && !ever_taken) return false;
      const limit_ms = closed === undefined ? Number(retry.max_interval) / NS_PER_MS : CLOSING_INTERVAL_MS;
      // Random, so that many senders do not come back together.
      await wait(Math.min(interval_ms, limit_ms) * (0.5 + Math.random()));
      interval_ms *= BACKOFF_FACTOR;
    }
  }

  async function drain(): Promise<void> {
    while (queue.size > 0 && (await deliver(queue.take()))) {
      if (queue.size < options.sending_queue.queue_size / 2) burst_told = false;
      if (!queue.is_ready && closed === undefined) break;
    }
    draining = undefined;
    if (closed === undefined) schedule();
  }

  function schedule(): void {
    if (draining !== undefined || queue.size === 0) return;
    if (queue.is_ready) {
      clearTimeout(timer);
      timer = undefined;
      draining = drain();
    } else if (timer === undefined) {
      timer = setTimeout(() => {
        timer = undefined;
        if (queue.size > 0) draining ??= drain();
      }, FLUSH_INTERVAL_MS);
      timer.unref();
    }
  }

  async function finish(): Promise<void> {
    clearTimeout(timer);
    endPause();
    const deadline = setTimeout(() => {
      is_stopped = true;
      endPause();
      endAttempt();
    }, Number(options.close_timeout) / NS_PER_MS);
    await draining;
    if (queue.size > 0 && in_flight_count === 0) await drain();
    clearTimeout(deadline);
    client.close();
    const unsent_count = queue.size + in_flight_count;
    if (unsent_count > 0) {
      lose('otlp.unsent', unsent_count);
      tellOutage(`no answer within ${formatDuration(options.close_timeout)} at the end`);
    }
    if (lost_count === 0) return;
    const cost = lost_count === 1 ? '1 span was not sent' : `${lost_count} spans were not sent`;
    warn(last_reason === undefined ? `${cost} over OTLP` : `${describeOutage(last_reason)}; ${cost}`);
  }

  return {
    push(span) {
      if (span.sampled === false) {
        counters.counted('otlp.not_sampled');
        return;
      }
      if (closed === undefined && queue.add(span)) {
        schedule();
        return;
      }
      lose('otlp.queue_full', 1);
      if (burst_told) return;
      burst_told = true;
      warn('spans come faster than the OTLP endpoint takes them; some are not sent');
    },
    close() {
      closed ??= finish();
      return closed;
    },
  };
}

function createClient({ type, options }: OtlpConfig, endpoint: Endpoint, include_content: boolean): TraceClient {
  const clientOptions = {
    headers: options.headers,
    compression: options.compression,
    timeout_ms: options.timeout === undefined ? undefined : Number(options.timeout) / NS_PER_MS,
    include_content,
  };
  return type === 'otlp_grpc' ? createGrpcClient(endpoint, clientOptions) : createHttpClient(endpoint, clientOptions);
}
