import type { AttributeValue, Span } from '../../model/span.ts';
import {
  ATTR_GEN_AI_AGENT_NAME,
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_USAGE_COST,
  ATTR_GEN_AI_USAGE_INPUT_TOKENS,
  ATTR_GEN_AI_USAGE_OUTPUT_TOKENS,
  ATTR_UNDERSIGHT_CORRELATION_REQUESTED,
} from '../../spans/semconv.gen.ts';

const LLM_OPERATIONS: readonly AttributeValue[] = ['chat', 'text_completion', 'generate_content', 'embeddings'];

/** What one span adds to the row of its trace. */
export interface SummaryPart {
  readonly agent: string | null;
  readonly root_name: string | null;
  readonly service: string | null;
  readonly llm_call_count: number;
  readonly tool_call_count: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly error_count: number;
  readonly not_requested_count: number;
  readonly cost_usd: number | null;
}

export function summarise(span: Span): SummaryPart {
  const operation = span.attributes[ATTR_GEN_AI_OPERATION_NAME];
  const is_call = operation !== undefined && LLM_OPERATIONS.includes(operation);
  const is_root = span.parent_span_id === undefined || span.parent_is_remote;
  return {
    agent: text(span.attributes[ATTR_GEN_AI_AGENT_NAME]),
    root_name: is_root ? span.name : null,
    service: text(span.resource.attributes['service.name']),
    llm_call_count: is_call ? 1 : 0,
    tool_call_count: operation === 'execute_tool' ? 1 : 0,
    input_tokens: is_call ? count(span.attributes[ATTR_GEN_AI_USAGE_INPUT_TOKENS]) : 0,
    output_tokens: is_call ? count(span.attributes[ATTR_GEN_AI_USAGE_OUTPUT_TOKENS]) : 0,
    error_count: span.status.code === 'error' ? 1 : 0,
    not_requested_count: span.attributes[ATTR_UNDERSIGHT_CORRELATION_REQUESTED] === false ? 1 : 0,
    cost_usd: is_call ? dollars(span.attributes[ATTR_GEN_AI_USAGE_COST]) : null,
  };
}

function text(value: AttributeValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function count(value: AttributeValue | undefined): number {
  const number = Number(value);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}

function dollars(value: AttributeValue | undefined): number | null {
  return typeof value === 'number' && value >= 0 ? value : null;
}
