import { createParser } from 'eventsource-parser';

export interface SseEvent {
  /** undefined: not named, which is a `message`. */
  readonly event: string | undefined;
  readonly data: string;
}

export interface SseReader {
  push(bytes: Uint8Array): void;
  /** Bytes are missing: the event they were in is dropped, reading goes on at the next blank line. */
  gap(): void;
  /** The stream is whole: an event that only lacks its blank line counts. */
  end(): void;
}

export interface SseOptions {
  /** Of one event, in characters. A longer one is dropped, with what follows up to the next blank line. */
  readonly max_event_chars: number;
  event(event: SseEvent): void;
  /** An event was dropped for its size. */
  tooLarge(): void;
}

const BLANK_LINE = /\r\n\r\n|\n\n|\r\r/;
const LONGEST_BLANK_LINE = 4;

/** Reads server-sent events (WHATWG HTML section 9.2), fed with bytes cut anywhere. */
export function createSseReader(options: SseOptions): SseReader {
  let utf8 = new TextDecoder();
  /** Set while looking for the next blank line: the end of what was looked through. */
  let skipped_tail: string | undefined;
  let overflow = false;
  const parser = createParser({
    maxBufferSize: options.max_event_chars,
    onEvent: ({ event, data }) => options.event({ event, data }),
    onError(error) {
      if (error.type === 'max-buffer-size-exceeded') overflow = true;
    },
  });

  const skip = (): void => {
    parser.reset();
    skipped_tail = '';
  };
  const feed = (text: string): void => {
    let fresh = text;
    if (skipped_tail !== undefined) {
      fresh = skipped_tail + text;
      const blank = BLANK_LINE.exec(fresh);
      if (blank === null) {
        skipped_tail = fresh.slice(1 - LONGEST_BLANK_LINE);
        return;
      }
      skipped_tail = undefined;
      fresh = fresh.slice(blank.index + blank[0].length);
    }
    if (fresh !== '') parser.feed(fresh);
    if (!overflow) return;
    overflow = false;
    options.tooLarge();
    skip();
  };

  return {
    push: (bytes) => feed(utf8.decode(bytes, { stream: true })),
    gap() {
      utf8 = new TextDecoder();
      skip();
    },
    end() {
      feed(`${utf8.decode()}\n\n`);
    },
  };
}
