import type { LlmRequest, MessagePart } from '../model/llm-call.ts';
import { asCount, asNumber, asObject, field, type JsonObject, stringField } from './json-value.ts';

/** Where models that continue a text look for it: Llama and Mistral on Bedrock, Titan, Text Generation Inference, Cohere. */
const PROMPTS = ['prompt', 'inputText', 'inputs', 'input', 'message'];
const OUTPUT_LIMITS = [
  'max_tokens',
  'max_gen_len',
  'maxTokenCount',
  'max_new_tokens',
  'n_predict',
  'max_tokens_to_sample',
];
const TEXT_LIMIT = 4096;

function texts(value: unknown): readonly string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.slice(0, TEXT_LIMIT).filter((item) => typeof item === 'string' && item !== '');
}

/** A request that has no messages: a prompt to go on with, or texts to embed. Parameters may lie in an object of their own. */
export function promptRequest(body: JsonObject, model: string | undefined, stream: boolean): LlmRequest {
  const own = asObject(field(body, 'textGenerationConfig')) ?? asObject(field(body, 'parameters')) ?? {};
  const parameter = (...names: readonly string[]): unknown =>
    names.map((name) => field(body, name) ?? field(own, name)).find((value) => value !== undefined);
  const is_embedding = isEmbedding(body, model);
  const prompts = [...PROMPTS, ...(is_embedding ? ['texts', 'inputs'] : [])];
  const found = prompts.map((name) => texts(field(body, name))).find((list) => list.length > 0) ?? [];
  const parts = found.map((content): MessagePart => ({ type: 'text', content }));
  const stop = texts(parameter('stop', 'stopSequences', 'stop_sequences')).slice(0, 64);
  const dimensions = is_embedding ? asCount(parameter('dimensions', 'output_dimension')) : undefined;
  return {
    operation: is_embedding ? 'embeddings' : 'text_completion',
    model,
    stream: stream || field(body, 'stream') === true,
    max_tokens: OUTPUT_LIMITS.map((name) => asCount(parameter(name))).find((limit) => limit !== undefined),
    temperature: asNumber(parameter('temperature')),
    top_p: asNumber(parameter('top_p', 'topP', 'p')),
    top_k: asNumber(parameter('top_k', 'topK', 'k')),
    seed: asNumber(parameter('seed')),
    stop_sequences: stop.length === 0 ? undefined : stop,
    system_instructions: texts(stringField(body, 'preamble')).map((content) => ({ type: 'text', content })),
    messages: parts.length === 0 ? [] : [{ role: 'user', parts }],
    tools: [],
    attributes: dimensions === undefined ? {} : { 'gen_ai.embeddings.dimension.count': dimensions },
  };
}

function isEmbedding(body: JsonObject, model: string | undefined): boolean {
  return /embed/i.test(model ?? '') || (field(body, 'texts') !== undefined && field(body, 'input_type') !== undefined);
}
