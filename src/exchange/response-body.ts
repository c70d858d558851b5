import { decodeContent } from '../protocol/content-coding.ts';
import type { ResponseHead } from '../protocol/http-exchange.ts';
import { bodyCodings } from '../protocol/http1-head.ts';
import { createSseReader, type SseReader } from '../protocol/sse.ts';
import type { ResponseReader } from '../providers/provider.ts';
import { type BodyBudget, createBodyCollector } from './body-collector.ts';
import type { CaptureGaps } from './capture-gaps.ts';

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
const EVENT_STREAM_BEGUN = /^\uFEFF?(?:event|data|id|retry)?:/;

/** Brings the body of one response to its reader: a stream event by event as it comes, anything else at the end. */
export function createResponseBody(
  head: ResponseHead,
  reader: BodyReader,
  budget: BodyBudget,
  gaps: CaptureGaps,
): ResponseBody {
  const { max_body_bytes } = budget;
  const codings = bodyCodings(head.headers);
  const content_type = head.headers.get('content-type')?.toLowerCase();
  const body = createBodyCollector(budget);
  let sse: SseReader | undefined;
  let now_ns = 0n;
  let streamed_bytes = 0;
  let next_decode_bytes = 0;
  let decoded_bytes = 0;
  let decode_work_bytes = 0;
  /** Why nothing more can be read. */
  let sealed: 'too_large' | 'decompression' | undefined;

  const beginStream = (): SseReader =>
    createSseReader({
      max_event_chars: max_body_bytes,
      event: (event) => reader.pushEvent(event, now_ns),
      tooLarge: () => gaps.add('too_large', 0, 'response event'),
    });
  if (content_type?.startsWith('text/event-stream')) sse = beginStream();

  const seal = (reason: 'too_large' | 'decompression', bytes: number): void => {
    body.release();
    sealed = reason;
    gaps.add(reason, bytes, 'response');
  };
  const stream = (to: SseReader, data: Uint8Array): void => {
    streamed_bytes += data.length;
    if (streamed_bytes > max_body_bytes) seal('too_large', data.length);
    else to.push(data);
  };
  const decodeStream = (to: SseReader): void => {
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
    sse = beginStream();
    stream(sse, begun);
  };

  return {
    get streamed() {
      return sse !== undefined;
    },
    push(data, ktime_ns) {
      now_ns = ktime_ns;
      const before_bytes = body.bytes;
      if (sealed !== undefined) gaps.add(sealed, data.length, 'response');
      else if (sse !== undefined && codings.length === 0) stream(sse, data);
      else if (!body.add(data)) seal('too_large', before_bytes + data.length);
      else if (sse !== undefined && body.bytes >= next_decode_bytes) decodeStream(sse);
      else if (content_type === undefined && codings.length === 0 && before_bytes < SNIFFED_BYTES) sniff();
    },
    get is_behind() {
      return sse !== undefined && codings.length > 0 && sealed === undefined && body.bytes > decoded_bytes;
    },
    catchUp() {
      if (this.is_behind && sse !== undefined) decodeStream(sse);
    },
    gap(bytes) {
      gaps.add('lost_bytes', bytes, 'response');
      if (codings.length > 0) {
        if (sse !== undefined && sealed === undefined) decodeStream(sse);
        sealed ??= 'decompression';
      } else sse?.gap();
    },
    end(ktime_ns, whole) {
      now_ns = ktime_ns;
      if (sse !== undefined) {
        if (codings.length > 0 && sealed === undefined) decodeStream(sse);
        if (whole && sealed === undefined) sse.end();
      } else if (body.bytes > 0) {
        const { data, problem } = decodeContent(body.joined(), codings, max_body_bytes);
        if (problem !== undefined) gaps.add(problem, body.bytes, 'response');
        else reader.pushBody(data, ktime_ns);
      }
      body.release();
    },
  };
}
