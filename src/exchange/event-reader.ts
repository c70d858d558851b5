import { createAwsEventStreamReader } from '../protocol/aws-event-stream.ts';
import { createGrpcReader } from '../protocol/grpc.ts';
import { createSseReader } from '../protocol/sse.ts';
import type { StreamEvent } from '../providers/provider.ts';
import { type BodyBudget, holdIn } from './body-collector.ts';
import type { CaptureGaps } from './capture-gaps.ts';
import { grpcContent, type Headers, isGrpc } from './grpc-content.ts';

/** Reads a stream of events out of the bytes of a body. */
export interface EventReader {
  push(data: Uint8Array): void;
  /** Bytes are missing. */
  gap(): void;
  /** The stream is whole. */
  end(): void;
  /** Nothing more comes: what is held is given back. */
  close(): void;
}

export interface EventReaderOptions {
  readonly max_event_bytes: number;
  readonly budget: BodyBudget;
  readonly gaps: CaptureGaps;
  /** Of the response. */
  readonly headers: Headers;
  event(event: StreamEvent): void;
}

/** The reader for a body of the type that its headers tell; undefined: it is no stream of events. */
export function eventReaderFor(options: EventReaderOptions): EventReader | undefined {
  const content_type = options.headers.get('content-type')?.toLowerCase();
  if (content_type?.startsWith('text/event-stream')) return serverSentEvents(options);
  if (content_type?.startsWith('application/vnd.amazon.eventstream')) return awsEvents(options);
  if (isGrpc(content_type)) return grpcMessages(options);
  return undefined;
}

/** WHATWG HTML section 9.2. */
export function serverSentEvents({ max_event_bytes, gaps, event }: EventReaderOptions): EventReader {
  const tooLarge = () => gaps.add('too_large', 0, 'response event');
  return { ...createSseReader({ max_event_chars: max_event_bytes, event, tooLarge }), close() {} };
}

function awsEvents({ max_event_bytes, budget, gaps, event }: EventReaderOptions): EventReader {
  const reader = createAwsEventStreamReader({
    max_message_bytes: max_event_bytes,
    hold: holdIn(budget),
    message({ headers, payload }) {
      const error_type = headers.get(':exception-type') ?? headers.get(':error-code');
      const told = headers.get(':error-message');
      // An error that the service's model lacks says all in headers.
      const data = told === undefined ? payload.toString('utf8') : JSON.stringify({ message: told });
      event({ event: headers.get(':event-type'), data, ...(error_type !== undefined && { error_type }) });
    },
    tooLarge: () => gaps.add('too_large', 0, 'response event'),
    malformed: (bytes) => gaps.add('malformed', bytes, 'response event'),
  });
  return { push: reader.push, gap: reader.gap, end() {}, close: reader.end };
}

function grpcMessages({ max_event_bytes, budget, gaps, headers, event }: EventReaderOptions): EventReader {
  const reader = createGrpcReader({
    max_message_bytes: max_event_bytes,
    hold: holdIn(budget),
    message(packed) {
      const { data: message, problem } = grpcContent(packed, headers, max_event_bytes);
      if (problem === undefined) event({ event: undefined, data: '', message });
      else gaps.add(problem, packed.data.length, 'response event');
    },
    tooLarge: () => gaps.add('too_large', 0, 'response event'),
    malformed: () => gaps.add('malformed', 0, 'response event'),
  });
  return { push: reader.push, gap: reader.gap, end() {}, close: reader.end };
}
