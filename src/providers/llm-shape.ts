import { asObject, asObjects, field, type JsonObject, stringField } from './json-value.ts';

/**
 * What a request to a model looks like, whoever takes it: `messages` with roles, `contents` with parts (Gemini), `items` of
 * the Responses API, a `prompt` to go on with, texts to embed.
 */
export type LlmShape = 'messages' | 'contents' | 'items' | 'prompt' | 'embeddings';

const ROLES = new Set('system developer user assistant tool function model human ai chatbot'.split(' '));
const ITEM_TYPES = /^(?:message|reasoning|compaction|item_reference|[a-z_]+_call|[a-z_]+_call_output)$/;
/** How much a model shall write: said to nothing else. */
const LIMITS =
  'max_tokens max_completion_tokens max_output_tokens max_new_tokens max_gen_len n_predict maxTokens maxOutputTokens inferenceConfig generationConfig textGenerationConfig'.split(
    ' ',
  );
/** What is said to a model that writes, and some of it to a thermostat. */
const SAMPLING = [
  ...LIMITS,
  ...'temperature top_p top_k topP topK stop stop_sequences stream tools tool_choice functions response_format seed reasoning reasoning_effort thinking'.split(
    ' ',
  ),
];
const RESPONSES = ['instructions', 'previous_response_id', 'store', 'include', 'text', 'prompt_cache_key'];
/** What is only said to a model that draws or speaks, or in a report of what was said to one. */
const OTHERS =
  'jsonrpc query_id event events event_type event_name eventName batch voice size width height aspect_ratio num_inference_steps image_size n_frames documents resourceSpans resourceLogs resourceMetrics'.split(
    ' ',
  );
/** What only an answer has, or the report of a call that was. */
const REPORTED =
  /^(?:completions?|responses?|outputs?|choices|latency(?:_?ms|_?s)?|duration(?:_?ms|_?ns|_?s)?|(?:total_?)?cost(?:_?usd)?|status(?:_?code)?|(?:trace|span|observation)_?id|run_?type|(?:start|end|created|updated|completion)_?(?:time|at)|title)$/i;
const MODELS = ['model', 'modelId', 'model_id', 'model_name'];
const BEGINNINGS = [
  'messages',
  'contents',
  'input',
  'inputs',
  'prompt',
  'inputText',
  'system',
  'instructions',
  'tools',
];
const BEGUN_LIST = /"(messages|contents)"\s*:\s*\[\s*\{\s*"(?:role|content|parts)"\s*:/;
const LOOKED_AT = 8;

/** Some of these may be the first that a request to a model says; none that reports say. */
export function mayBecomeLlmShape(names: readonly string[]): boolean {
  return (
    !names.some((name) => OTHERS.includes(name) || REPORTED.test(name)) &&
    names.some((name) => BEGINNINGS.includes(name) || MODELS.includes(name))
  );
}

/** Of a body whose end is missing: it has begun to say messages with roles, or contents with parts, to a model. */
export function beginsAsLlmShape(text: string, names: readonly string[]): boolean {
  const list = names.find((name) => name === 'messages' || name === 'contents');
  return (
    mayBecomeLlmShape(names) &&
    (list === 'contents' || names.some((name) => MODELS.includes(name) || SAMPLING.includes(name))) &&
    BEGUN_LIST.exec(text)?.[1] === list
  );
}

/**
 * undefined: it is no request to a model, or might as well be something else. `is_to_writer`: the path says that something is
 * to be written.
 */
export function llmShape(body: JsonObject, is_to_writer: boolean): LlmShape | undefined {
  const has = (names: readonly string[], object = body) => names.some((name) => field(object, name) !== undefined);
  // Some ask for `usage`, too.
  const is_counted = Object.values(asObject(field(body, 'usage')) ?? {}).some((count) => typeof count === 'number');
  if (has(OTHERS) || is_counted || Object.keys(body).some((name) => REPORTED.test(name))) return undefined;
  const model = modelOf(body);
  const is_sampled = has(SAMPLING) || asObject(field(body, 'parameters')) !== undefined;
  if (isList(field(body, 'messages'), isMessage) || isList(field(body, 'prompt'), isMessage)) {
    return model !== undefined || is_sampled ? 'messages' : undefined;
  }
  if (isList(field(body, 'contents'), (content) => Array.isArray(field(content, 'parts')))) return 'contents';
  const input = field(body, 'input');
  if (model !== undefined && isList(input, isItem)) return 'items';
  if (model !== undefined && (typeof input === 'string' || isTexts(input))) {
    const is_vector = has(['encoding_format', 'dimensions', 'input_type']) || /embed/i.test(model);
    if (is_vector && !is_sampled) return 'embeddings';
    return typeof input === 'string' && (is_sampled || has(RESPONSES)) ? 'items' : undefined;
  }
  const prompt = field(body, 'prompt') ?? field(body, 'inputText') ?? field(body, 'inputs');
  const is_limited = has(LIMITS) || has(LIMITS, asObject(field(body, 'parameters')));
  const is_asked = model !== undefined || is_to_writer || is_limited;
  return typeof prompt === 'string' && is_sampled && is_asked ? 'prompt' : undefined;
}

/** The model that a body names. */
export function modelOf(body: JsonObject | undefined): string | undefined {
  return MODELS.map((name) => stringField(body, name)).find((name) => name !== undefined && name !== '');
}

function isList(value: unknown, isOne: (item: JsonObject) => boolean): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  const first = value.slice(0, LOOKED_AT);
  return asObjects(first).length === first.length && asObjects(first).every(isOne);
}

function isMessage(message: JsonObject): boolean {
  const role = stringField(message, 'role')?.toLowerCase();
  const says = ['content', 'parts', 'tool_calls', 'text', 'message'].some((name) => field(message, name) !== undefined);
  return role !== undefined && ROLES.has(role) && says;
}

function isItem(item: JsonObject): boolean {
  return isMessage(item) || ITEM_TYPES.test(stringField(item, 'type') ?? '');
}

function isTexts(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length > 0 && value.slice(0, LOOKED_AT).every((item) => typeof item === 'string')
  );
}
