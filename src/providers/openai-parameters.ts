import type { LlmRequest } from '../model/llm-call.ts';
import { asCount, asNumber, asString, field, type JsonObject, stringField } from './json-value.ts';

type Parameters = Omit<LlmRequest, 'operation' | 'model' | 'system_instructions' | 'messages' | 'tools' | 'attributes'>;

function stopSequences(stop: unknown): readonly string[] | undefined {
  if (typeof stop === 'string') return [stop];
  return Array.isArray(stop) ? stop.slice(0, 64).filter((item) => typeof item === 'string') : undefined;
}

/** gen_ai.output.type: what the request asks for, `text.format` being where the Responses API says it. */
function outputType(body: JsonObject): string | undefined {
  const modalities = field(body, 'modalities');
  if (Array.isArray(modalities) && modalities.includes('audio')) return 'speech';
  const format = stringField(body, 'response_format', 'type') ?? stringField(body, 'text', 'format', 'type');
  if (format === undefined) return undefined;
  return format.startsWith('json') ? 'json' : format === 'text' ? 'text' : undefined;
}

/** The parameters that OpenAI's APIs, and those made after them, have in common. */
export function openAiParameters(body: JsonObject): Parameters {
  return {
    stream: field(body, 'stream') === true,
    max_tokens:
      asCount(field(body, 'max_completion_tokens')) ??
      asCount(field(body, 'max_output_tokens')) ??
      asCount(field(body, 'max_tokens')),
    temperature: asNumber(field(body, 'temperature')),
    top_p: asNumber(field(body, 'top_p')),
    top_k: asNumber(field(body, 'top_k')),
    frequency_penalty: asNumber(field(body, 'frequency_penalty')),
    presence_penalty: asNumber(field(body, 'presence_penalty')),
    seed: asNumber(field(body, 'seed')),
    stop_sequences: stopSequences(field(body, 'stop')),
    choice_count: asCount(field(body, 'n')),
    output_type: outputType(body),
  };
}

/** The attributes of the `openai.*` registry, which only OpenAI's own models (also on Azure) have. */
export function openAiRequestAttributes(body: JsonObject, provider: string, api: string): LlmRequest['attributes'] {
  if (provider !== 'openai' && provider !== 'azure.ai.openai') return {};
  const tier = asString(field(body, 'service_tier'));
  return {
    'openai.api.type': api,
    ...(tier === undefined || tier === 'auto' ? {} : { 'openai.request.service_tier': tier }),
  };
}

/** The same of a response; `source` is the response object, or the part of it that a stream event brought. */
export function openAiResponseAttributes(request: LlmRequest, source: unknown): LlmRequest['attributes'] {
  if (request.attributes['openai.api.type'] === undefined) return {};
  const tier = stringField(source, 'service_tier');
  const fingerprint = stringField(source, 'system_fingerprint');
  return {
    ...(tier === undefined ? {} : { 'openai.response.service_tier': tier }),
    ...(fingerprint === undefined ? {} : { 'openai.response.system_fingerprint': fingerprint }),
  };
}
