import type {
  LlmCall,
  LlmRequest,
  LlmResponse,
  Message,
  MessagePart,
  ToolCall,
  ToolDefinition,
} from '../model/llm-call.ts';
import type { Redactor } from './redactor.ts';

const text = (redactor: Redactor, value: string | undefined) =>
  value === undefined ? undefined : redactor.text(value);

function redactPart(redactor: Redactor, part: MessagePart): MessagePart {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return { ...part, content: redactor.text(part.content) };
    case 'tool_call':
      return { ...part, name: redactor.text(part.name), arguments: redactor.value(part.arguments) };
    case 'tool_call_response':
      return { ...part, response: redactor.value(part.response) };
    case 'uri':
      return { ...part, uri: redactor.text(part.uri) };
    // Base64 and opaque ids hold no secret that could be told from them.
    case 'blob':
    case 'file':
      return part;
  }
}

function redactMessage(redactor: Redactor, message: Message): Message {
  const parts = message.parts.map((part) => redactPart(redactor, part));
  return message.name === undefined ? { ...message, parts } : { ...message, parts, name: redactor.text(message.name) };
}

function redactTool(redactor: Redactor, tool: ToolDefinition): ToolDefinition {
  return {
    ...tool,
    name: redactor.text(tool.name),
    ...(tool.description === undefined ? {} : { description: redactor.text(tool.description) }),
    ...(tool.parameters === undefined ? {} : { parameters: redactor.value(tool.parameters) }),
  };
}

function redactToolCall(redactor: Redactor, call: ToolCall): ToolCall {
  return { ...call, name: redactor.text(call.name), arguments: redactor.value(call.arguments) };
}

type AttributeValues = LlmRequest['attributes'];

function redactAttributes(redactor: Redactor, attributes: AttributeValues): AttributeValues {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, typeof value === 'string' ? redactor.text(value) : value]),
  );
}

function redactRequest(redactor: Redactor, request: LlmRequest): LlmRequest {
  return {
    ...request,
    model: text(redactor, request.model),
    ...(request.stop_sequences && { stop_sequences: request.stop_sequences.map((stop) => redactor.text(stop)) }),
    ...(request.conversation_id && { conversation_id: redactor.text(request.conversation_id) }),
    ...(request.previous_response_id && { previous_response_id: redactor.text(request.previous_response_id) }),
    system_instructions: request.system_instructions.map((part) => redactPart(redactor, part)),
    messages: request.messages.map((message) => redactMessage(redactor, message)),
    tools: request.tools.map((tool) => redactTool(redactor, tool)),
    attributes: redactAttributes(redactor, request.attributes),
  };
}

function redactResponse(redactor: Redactor, response: LlmResponse): LlmResponse {
  return {
    ...response,
    ...(response.id && { id: redactor.text(response.id) }),
    ...(response.model && { model: redactor.text(response.model) }),
    ...(response.conversation_id && { conversation_id: redactor.text(response.conversation_id) }),
    finish_reasons: response.finish_reasons.map((reason) => redactor.text(reason)),
    messages: response.messages.map((message) => redactMessage(redactor, message)),
    tool_calls: response.tool_calls.map((call) => redactToolCall(redactor, call)),
    attributes: redactAttributes(redactor, response.attributes),
  };
}

/** Takes the secrets out of everything in a call that a program or a person wrote. */
export function redactLlmCall(redactor: Redactor, call: LlmCall): LlmCall {
  return {
    ...call,
    user_agent: text(redactor, call.user_agent),
    traceparent: text(redactor, call.traceparent),
    tracestate: text(redactor, call.tracestate),
    request: redactRequest(redactor, call.request),
    response: call.response && redactResponse(redactor, call.response),
    error: call.error && { type: redactor.text(call.error.type), message: redactor.text(call.error.message) },
    gaps: call.gaps.map((gap) => ({ ...gap, detail: redactor.text(gap.detail) })),
  };
}
