import type { LlmRequest, ToolDefinition } from '../model/llm-call.ts';
import { converseMessages, converseParts } from './converse-content.ts';
import { asCount, asNumber, asObjects, boundedJson, field, type JsonObject, stringField } from './json-value.ts';

function toolDefinition(tool: JsonObject): ToolDefinition | undefined {
  const own = stringField(tool, 'systemTool', 'name');
  if (own !== undefined) return { type: 'systemTool', name: own };
  const definition = field(tool, 'toolSpec');
  const name = stringField(definition, 'name');
  if (name === undefined) return undefined;
  const description = stringField(definition, 'description');
  const parameters = field(definition, 'inputSchema', 'json');
  return {
    type: 'function',
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters: boundedJson(parameters) }),
  };
}

/** The body of POST /model/{model}/converse and /converse-stream, and of the Nova models under /invoke. */
export function converseRequest(body: JsonObject, model: string | undefined, stream: boolean): LlmRequest {
  const config = field(body, 'inferenceConfig');
  const more = field(body, 'additionalModelRequestFields');
  const stop = field(config, 'stopSequences');
  const guardrail = stringField(body, 'guardrailConfig', 'guardrailIdentifier');
  return {
    operation: 'chat',
    model,
    stream,
    max_tokens: asCount(field(config, 'maxTokens')) ?? asCount(field(config, 'max_new_tokens')),
    temperature: asNumber(field(config, 'temperature')),
    top_p: asNumber(field(config, 'topP')),
    top_k: asNumber(field(config, 'topK')) ?? asNumber(field(more, 'top_k')),
    stop_sequences: Array.isArray(stop) ? stop.slice(0, 64).filter((item) => typeof item === 'string') : undefined,
    output_type: field(body, 'outputConfig', 'textFormat') === undefined ? undefined : 'json',
    system_instructions: converseParts(field(body, 'system')),
    messages: asObjects(field(body, 'messages')).flatMap(converseMessages),
    tools: asObjects(field(body, 'toolConfig', 'tools')).flatMap((tool) => toolDefinition(tool) ?? []),
    attributes: guardrail === undefined ? {} : { 'aws.bedrock.guardrail.id': guardrail },
  };
}
