import type { LlmRequest, ToolDefinition } from '../model/llm-call.ts';
import { geminiMessages, geminiParts } from './gemini-content.ts';
import { asCount, asNumber, boundedJson, field, type JsonObject, stringField } from './json-value.ts';
import { protoField, protoObjects, protoString } from './proto-json.ts';

const OWN_TOOL_LIMIT = 64;

function functionDefinition(declaration: JsonObject): ToolDefinition | undefined {
  const name = stringField(declaration, 'name');
  if (name === undefined) return undefined;
  const description = stringField(declaration, 'description');
  const parameters = protoField(declaration, 'parametersJsonSchema') ?? field(declaration, 'parameters');
  return {
    type: 'function',
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters: boundedJson(parameters) }),
  };
}

/** One of `tools`: functions, and under their own names the tools that Google itself runs. */
function toolDefinitions(tool: JsonObject): readonly ToolDefinition[] {
  const functions = protoObjects(tool, 'functionDeclarations').flatMap((one) => functionDefinition(one) ?? []);
  const own = Object.keys(tool).filter((name) => !/^function_?declarations$/i.test(name));
  return [...functions, ...own.slice(0, OWN_TOOL_LIMIT).map((name) => ({ type: name, name }))];
}

function outputType(config: unknown): string | undefined {
  const modalities = protoField(config, 'responseModalities');
  if (Array.isArray(modalities)) {
    if (modalities.includes('AUDIO')) return 'speech';
    if (modalities.includes('IMAGE')) return 'image';
  }
  const mime_type = protoString(config, 'responseMimeType');
  if (mime_type === 'application/json') return 'json';
  return mime_type === 'text/plain' ? 'text' : undefined;
}

/** The body of POST .../models/{model}:generateContent and :streamGenerateContent. */
export function geminiRequest(body: JsonObject, model: string | undefined, stream: boolean): LlmRequest {
  const config = protoField(body, 'generationConfig');
  const stop = protoField(config, 'stopSequences');
  return {
    operation: 'generate_content',
    model,
    stream,
    max_tokens: asCount(protoField(config, 'maxOutputTokens')),
    temperature: asNumber(field(config, 'temperature')),
    top_p: asNumber(protoField(config, 'topP')),
    top_k: asNumber(protoField(config, 'topK')),
    frequency_penalty: asNumber(protoField(config, 'frequencyPenalty')),
    presence_penalty: asNumber(protoField(config, 'presencePenalty')),
    seed: asNumber(field(config, 'seed')),
    stop_sequences: Array.isArray(stop) ? stop.slice(0, 64).filter((item) => typeof item === 'string') : undefined,
    choice_count: asCount(protoField(config, 'candidateCount')),
    output_type: outputType(config),
    system_instructions: geminiParts(protoField(body, 'systemInstruction')),
    messages: protoObjects(body, 'contents').flatMap(geminiMessages),
    tools: protoObjects(body, 'tools').flatMap(toolDefinitions),
    attributes: {},
  };
}

/** The body of POST .../models/{model}:embedContent, or of several such: :batchEmbedContents. */
export function geminiEmbeddingsRequest(body: JsonObject, model: string | undefined): LlmRequest {
  const requests = field(body, 'requests') === undefined ? [body] : protoObjects(body, 'requests');
  const contents = requests.flatMap((request): readonly JsonObject[] => protoObjects(request, 'content'));
  const config = protoField(requests[0], 'embedContentConfig') ?? requests[0];
  const dimensions = asCount(protoField(config, 'outputDimensionality'));
  return {
    operation: 'embeddings',
    model,
    stream: false,
    system_instructions: [],
    messages: contents.flatMap(geminiMessages),
    tools: [],
    attributes: dimensions === undefined ? {} : { 'gen_ai.embeddings.dimension.count': dimensions },
  };
}
