import { asObject, asObjects, field, type JsonObject, stringField } from './json-value.ts';

/** Events of the Realtime API, by what the Responses API calls them; before its general availability, some had other names. */
const SAME_EVENT: Readonly<Record<string, string>> = {
  'response.text.delta': 'response.output_text.delta',
  'response.audio_transcript.delta': 'response.output_text.delta',
  'response.output_audio_transcript.delta': 'response.output_text.delta',
};
const STATUSES = new Set(['completed', 'failed', 'incomplete', 'cancelled']);

function contentBlock(block: JsonObject): JsonObject {
  const text = stringField(block, 'text') ?? stringField(block, 'transcript');
  if (text !== undefined) return { type: 'input_text', text };
  return stringField(block, 'type')?.includes('audio') === true ? {} : block;
}

/** An item as the Responses API has it: its audio is left out, and a transcript is text. */
export function realtimeItem(item: JsonObject): JsonObject {
  const content = field(item, 'content');
  return Array.isArray(content) ? { ...item, content: asObjects(content).map(contentBlock) } : item;
}

/** `status_details` has what the Responses API has in `incomplete_details` and `error`. */
function realtimeResponse(response: JsonObject): JsonObject {
  const details = asObject(field(response, 'status_details'));
  return {
    ...response,
    output: asObjects(field(response, 'output')).map(realtimeItem),
    incomplete_details: details,
    error: field(details, 'error'),
  };
}

/** An event as the Responses API has it. */
export function realtimeEvent(event: JsonObject, type: string): { readonly event: JsonObject; readonly type: string } {
  const response = asObject(field(event, 'response'));
  const item = asObject(field(event, 'item'));
  const status = stringField(response, 'status') ?? '';
  const named = Object.hasOwn(SAME_EVENT, type) ? SAME_EVENT[type] : undefined;
  const ended = type === 'response.done' ? `response.${STATUSES.has(status) ? status : 'completed'}` : undefined;
  return {
    event: {
      ...event,
      ...(response !== undefined && { response: realtimeResponse(response) }),
      ...(item !== undefined && { item: realtimeItem(item) }),
    },
    type: named ?? ended ?? type,
  };
}
