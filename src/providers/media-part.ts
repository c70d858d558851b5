import type { MessagePart } from '../model/llm-call.ts';

/** RFC 2397, base64 only. */
const DATA_URL = /^data:([a-z0-9.+-]{1,64}\/[a-z0-9.+-]{1,64})?(?:;[a-z0-9=.-]{1,64})*;base64,/i;

/** A picture, recording or document by its URL; a `data:` URL is content that came with it. */
export function mediaFromUrl(modality: string, url: string, mimeType: string | null = null): MessagePart {
  const match = DATA_URL.exec(url.slice(0, 300));
  if (match === null) return { type: 'uri', modality, mime_type: mimeType, uri: url };
  return { type: 'blob', modality, mime_type: match[1] ?? mimeType, content: url.slice(match[0].length) };
}
