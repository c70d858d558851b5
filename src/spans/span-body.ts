import type { ActivityBase, Correlation } from '../model/activity.ts';
import type { Span } from '../model/span.ts';
import type { LooseAttributes } from './bounded-attributes.ts';
import {
  ATTR_GEN_AI_CONVERSATION_ID,
  ATTR_UNDERSIGHT_CAPTURE_LOST_EVENTS,
  ATTR_UNDERSIGHT_CORRELATION_MATCHED,
  ATTR_UNDERSIGHT_CORRELATION_REQUESTED,
  ATTR_UNDERSIGHT_CORRELATION_SCORE,
  ATTR_UNDERSIGHT_CORRELATION_SIGNALS,
  ATTR_UNDERSIGHT_OPEN,
} from './semconv.gen.ts';

/** What one kind of activity says of itself: a span without its ids, times, links and resource. */
export interface SpanBody {
  readonly name: string;
  readonly kind: Span['kind'];
  readonly attributes: LooseAttributes;
  readonly content: LooseAttributes;
  readonly failed: boolean;
}

/** What every kind of span may carry. */
export function commonAttributes(activity: ActivityBase): LooseAttributes {
  return {
    [ATTR_GEN_AI_CONVERSATION_ID]: activity.conversation_id,
    [ATTR_UNDERSIGHT_CAPTURE_LOST_EVENTS]: unlessZero(activity.lost_events),
    [ATTR_UNDERSIGHT_OPEN]: activity.open ? true : undefined,
  };
}

/** What every effect says besides: why it is where it is. `body` is what its kind alone has. */
export function effectBody(activity: ActivityBase & { readonly correlation: Correlation }, body: SpanBody): SpanBody {
  const { signals, score, requested, matched } = activity.correlation;
  return {
    ...body,
    attributes: {
      ...body.attributes,
      [ATTR_UNDERSIGHT_CORRELATION_SIGNALS]: signals,
      [ATTR_UNDERSIGHT_CORRELATION_SCORE]: signals.length === 0 ? undefined : score,
      [ATTR_UNDERSIGHT_CORRELATION_REQUESTED]: requested,
      ...commonAttributes(activity),
    },
    content: { ...body.content, [ATTR_UNDERSIGHT_CORRELATION_MATCHED]: matched },
  };
}

export function unlessZero<Count extends number | bigint>(count: Count): Count | undefined {
  return Number(count) === 0 ? undefined : count;
}

export function unlessEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}
