const MAX_ATTRIBUTES = 64;
const MAX_CHARS = 255;

/**
 * OTEL_RESOURCE_ATTRIBUTES: `key=value,key=value`, percent-encoded (OpenTelemetry specification, "Resource SDK, Specifying
 * resource information via an environment variable"). As it asks, one mistake makes all of it void: `undefined`.
 */
export function parseResourceVariable(text: string | undefined): ReadonlyMap<string, string> | undefined {
  const attributes = new Map<string, string>();
  for (const member of (text ?? '').split(',')) {
    if (member.trim() === '') continue;
    const separator = member.indexOf('=');
    if (separator < 0 || attributes.size === MAX_ATTRIBUTES) return undefined;
    const key = decode(member.slice(0, separator));
    const value = decode(member.slice(separator + 1));
    if (key === undefined || key === '' || value === undefined) return undefined;
    if (key.length > MAX_CHARS || value.length > MAX_CHARS) return undefined;
    attributes.set(key, value);
  }
  return attributes;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return undefined;
  }
}
