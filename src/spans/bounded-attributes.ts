import type { Attributes, AttributeValue } from '../model/span.ts';

/** Attributes as they are put together: what is not known is undefined. */
export type LooseAttributes = Readonly<Record<string, AttributeValue | undefined>>;

export interface AttributeLimits {
  readonly max_attribute_chars: number;
  readonly max_attribute_items: number;
}

const NAME_CHARS = 200;

/** The attributes that have a value, as well-formed Unicode within the limits. Empty lists and NaN are no values. */
export function boundAttributes(attributes: LooseAttributes, limits: AttributeLimits): Attributes {
  const bounded: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(attributes)) {
    const kept = value === undefined ? undefined : boundValue(value, limits);
    if (kept !== undefined) bounded[name] = kept;
  }
  return bounded;
}

/** A span's name: one short text. */
export function spanName(...parts: readonly (string | undefined)[]): string {
  const words = parts.filter((part) => part !== undefined && part !== '');
  return boundText(words.join(' '), NAME_CHARS);
}

function boundValue(value: AttributeValue, limits: AttributeLimits): AttributeValue | undefined {
  const { max_attribute_chars, max_attribute_items } = limits;
  switch (typeof value) {
    case 'string':
      return boundText(value, max_attribute_chars);
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'bigint':
      return BigInt.asIntN(54, value) === value ? Number(value) : value;
    case 'boolean':
      return value;
    default: {
      if (value.length === 0) return undefined;
      const texts = value.slice(0, max_attribute_items).map((text) => boundText(text, max_attribute_chars));
      const left_out = value.length - texts.length;
      return left_out === 0 ? texts : [...texts, `[${left_out} more]`];
    }
  }
}

function boundText(text: string, limit_chars: number): string {
  return (text.length > limit_chars ? `${text.slice(0, limit_chars)}…` : text).toWellFormed();
}
