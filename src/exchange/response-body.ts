import { decodeContent } from '../protocol/content-coding.ts';
import type { ResponseHead } from '../protocol/http-exchange.ts';
import { bodyCodings } from '../protocol/http1-head.ts';
import type { ResponseReader, StreamEvent } from '../providers/provider.ts';
import { type BodyBudget, createBodyCollector } from './body-collector.ts';
import type { CaptureGaps } from './capture-gaps.ts';
import { type EventReader, eventReaderFor, serverSentEvents } from './event-reader.ts';

export interface ResponseBody {
  /** It is a stream of events. */
  readonly streamed: boolean;
  push(data: Uint8Array, ktime_ns: bigint): void;
  /** What has come is not all decoded. */
  readonly is_behind: boolean;
  /** Decodes it. */
  catchUp(): void;
  gap(bytes: number): void;
  /** No more will come. `whole`: and nothing is missing at the end. */
  end(ktime_ns: bigint, whole: boolean): void;
}

/** What takes the decoded body. */
export type BodyReader = Pick<ResponseReader, 'pushEvent' | 'pushBody'>;

/** A compressed stream is decoded anew from its start: past this, packed and unpacked, only after it has grown by a quarter. */
const EAGER_DECODE_BYTES = 4 * 2 ** 20;
const DECODE_GROWTH = 1.25;
const DECODE_STEP_BYTES = 256;
const SNIFFED_BYTES = 16;
export const EVENT_STREAM_BEGUN = /^\uFEFF?(?:event|data|id|retry)?:/;

/** Brings the body of one response to its reader: a stream event by event as it comes, anything else at the end. */
export function createResponseBody(
  head: ResponseHead,
  reader: BodyReader,
  budget: BodyBudget,
  gaps: CaptureGaps,
): ResponseBody {
  const { max_body_bytes } = budget;
  const codings = bodyCodings(head.headers);
  const says_type = head.headers.has('content-type');
  const body = createBodyCollector(budget);
  let now_ns = 0n;
  let streamed_bytes = 0;
  let next_decode_bytes = 0;
  let decoded_bytes = 0;
  let decode_work_bytes = 0;
  /** Why nothing more can be read. */
  let sealed: 'too_large' | 'decompression' | undefined;

  const reading = {
    max_event_bytes: max_body_bytes,
    budget,
    gaps,
    headers: head.headers,
    event: (event: StreamEvent) => reader.pushEvent(event, now_ns),
  };
  let events = eventReaderFor(reading);

  const seal = (reason: 'too_large' | 'decompression', bytes: number): void => {
    body.release();
    events?.close();
    sealed = reason;
    gaps.add(reason, bytes, 'response');
  };
  const stream = (to: EventReader, data: Uint8Array): void => {
    streamed_bytes += data.length;
    if (streamed_bytes > max_body_bytes) seal('too_large', data.length);
    else to.push(data);
  };
  const decodeStream = (to: EventReader): void => {
    decoded_bytes = body.bytes;
    const { data, problem } = decodeContent(body.joined(), codings, max_body_bytes);
    decode_work_bytes += body.bytes + data.length;
    const is_eager = decode_work_bytes < EAGER_DECODE_BYTES;
    next_decode_bytes = is_eager ? 0 : Math.max(body.bytes * DECODE_GROWTH, body.bytes + DECODE_STEP_BYTES);
    if (problem !== undefined) seal(problem, body.bytes);
    else if (data.length > streamed_bytes) stream(to, data.subarray(streamed_bytes));
  };
  /** A response that does not say what it is: many servers of the same API leave that out. */
  const sniff = (): void => {
    const begun = body.joined();
    if (!EVENT_STREAM_BEGUN.test(begun.toString('utf8', 0, SNIFFED_BYTES))) return;
    body.release();
    events = serverSentEvents(reading);
    stream(events, begun);
  };

  return {
    get streamed() {
      return events !== undefined;
    },
    push(data, ktime_ns) {
      now_ns = ktime_ns;
      const before_bytes = body.bytes;
      if (sealed !== undefined) gaps.add(sealed, data.length, 'response');
      else if (events !== undefined && codings.length === 0) stream(events, data);
      else if (!body.add(data)) seal('too_large', before_bytes + data.length);
      else if (events !== undefined && body.bytes >= next_decode_bytes) decodeStream(events);
      else if (!says_type && codings.length === 0 && before_bytes < SNIFFED_BYTES) sniff();
    },
    get is_behind() {
      return events !== undefined && codings.length > 0 && sealed === undefined && body.bytes > decoded_bytes;
    },
    catchUp() {
      if (this.is_behind && events !== undefined) decodeStream(events);
    },
    gap(bytes) {
      gaps.add('lost_bytes', bytes, 'response');
      if (codings.length > 0) {
        if (events !== undefined && sealed === undefined) decodeStream(events);
        sealed ??= 'decompression';
      } else events?.gap();
    },
    end(ktime_ns, whole) {
      now_ns = ktime_ns;
      if (events !== undefined) {
        if (codings.length > 0 && sealed === undefined) decodeStream(events);
        if (whole && sealed === undefined) events.end();
        events.close();
      } else if (body.bytes > 0) {
        const { data, problem } = decodeContent(body.joined(), codings, max_body_bytes);
        if (problem !== undefined) gaps.add(problem, body.bytes, 'response');
        else reader.pushBody(data, ktime_ns);
      }
      body.release();
    },
  };
}
