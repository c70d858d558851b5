import type { LlmRequest, ToolDefinition } from '../model/llm-call.ts';
import { asObject, asObjects, boundedJson, field, type JsonObject, stringField } from './json-value.ts';
import { openAiContent } from './openai-content.ts';
import { openAiParameters, openAiRequestAttributes } from './openai-parameters.ts';
import { itemMessages } from './openai-responses-item.ts';

/** Tools of a namespace are listed with it. */
function toolDefinitions(tool: JsonObject): readonly ToolDefinition[] {
  const type = stringField(tool, 'type') ?? 'function';
  const nested = asObjects(field(tool, 'tools'));
  if (type === 'namespace') return nested.flatMap((inner) => toolDefinitions({ ...inner, tools: undefined }));
  const description = stringField(tool, 'description');
  const parameters = asObject(field(tool, 'parameters'));
  return [
    {
      type,
      name: stringField(tool, 'name') ?? stringField(tool, 'server_label') ?? type,
      ...(description === undefined ? {} : { description }),
      ...(parameters === undefined ? {} : { parameters: boundedJson(parameters) }),
    },
  ];
}

/** The body of POST /responses. */
export function responsesRequest(body: JsonObject, provider: string, model: string | undefined): LlmRequest {
  const input = field(body, 'input');
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : asObjects(input);
  return {
    operation: 'chat',
    model,
    ...openAiParameters(body),
    conversation_id: stringField(body, 'conversation') ?? stringField(body, 'conversation', 'id'),
    previous_response_id: stringField(body, 'previous_response_id'),
    system_instructions: openAiContent(field(body, 'instructions')),
    messages: itemMessages(items),
    tools: asObjects(field(body, 'tools')).flatMap(toolDefinitions),
    attributes: openAiRequestAttributes(body, provider, 'responses'),
  };
}
