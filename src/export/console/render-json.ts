import type { AttributeValue, Span } from '../../model/span.ts';

/** Controls that JSON leaves as they are, and what turns the direction of a text. */
const UNSAFE = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/**
 * One JSON object a line (https://jsonlines.org), in the order of the spans: the fields of src/model/span.ts, with 64-bit
 * times as decimal texts; `content` only when asked for.
 */
export function renderJson(spans: readonly Span[], { content }: { readonly content: boolean }): string {
  return spans.map((span) => `${toJson(content ? span : { ...span, content: undefined })}\n`).join('');
}

function toJson(value: unknown): string {
  const json = JSON.stringify(value, (_, item: AttributeValue) => (typeof item === 'bigint' ? String(item) : item));
  return json.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
