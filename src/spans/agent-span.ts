import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { AgentActivity } from '../model/activity.ts';
import { spanName } from './bounded-attributes.ts';
import { contentList, newMessages, outputMessages } from './content-json.ts';
import {
  ATTR_GEN_AI_AGENT_NAME,
  ATTR_GEN_AI_AGENT_VERSION,
  ATTR_GEN_AI_INPUT_MESSAGES,
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_OUTPUT_MESSAGES,
  ATTR_GEN_AI_PROVIDER_NAME,
  ATTR_UNDERSIGHT_FOLDED_COUNT,
  ATTR_UNDERSIGHT_LEFT_OUT_COUNT,
  ATTR_UNDERSIGHT_TURN_CACHE_CREATION_INPUT_TOKENS,
  ATTR_UNDERSIGHT_TURN_CACHE_READ_INPUT_TOKENS,
  ATTR_UNDERSIGHT_TURN_COST,
  ATTR_UNDERSIGHT_TURN_INPUT_TOKENS,
  ATTR_UNDERSIGHT_TURN_LLM_CALL_COUNT,
  ATTR_UNDERSIGHT_TURN_OUTPUT_TOKENS,
  ATTR_UNDERSIGHT_TURN_REASONING_OUTPUT_TOKENS,
  ATTR_UNDERSIGHT_TURN_TOOL_CALL_COUNT,
} from './semconv.gen.ts';
import { commonAttributes, type SpanBody, unlessZero } from './span-body.ts';

export function agentSpan(activity: AgentActivity, cost_usd: number | undefined): SpanBody {
  const { agent, usage, input, output } = activity;
  return {
    name: spanName('invoke_agent', agent.name),
    kind: 'internal',
    failed: activity.error_type !== undefined,
    attributes: {
      [ATTR_GEN_AI_OPERATION_NAME]: 'invoke_agent',
      [ATTR_GEN_AI_PROVIDER_NAME]: activity.provider,
      [ATTR_GEN_AI_AGENT_NAME]: agent.name,
      [ATTR_GEN_AI_AGENT_VERSION]: agent.version,
      [ATTR_ERROR_TYPE]: activity.error_type,
      [ATTR_UNDERSIGHT_TURN_LLM_CALL_COUNT]: activity.llm_call_count,
      [ATTR_UNDERSIGHT_TURN_TOOL_CALL_COUNT]: activity.tool_call_count,
      [ATTR_UNDERSIGHT_TURN_INPUT_TOKENS]: usage.input_tokens,
      [ATTR_UNDERSIGHT_TURN_OUTPUT_TOKENS]: usage.output_tokens,
      [ATTR_UNDERSIGHT_TURN_CACHE_READ_INPUT_TOKENS]: usage.cache_read_input_tokens,
      [ATTR_UNDERSIGHT_TURN_CACHE_CREATION_INPUT_TOKENS]: usage.cache_creation_input_tokens,
      [ATTR_UNDERSIGHT_TURN_REASONING_OUTPUT_TOKENS]: usage.reasoning_output_tokens,
      [ATTR_UNDERSIGHT_TURN_COST]: cost_usd,
      [ATTR_UNDERSIGHT_FOLDED_COUNT]: unlessZero(activity.noise_file_count),
      [ATTR_UNDERSIGHT_LEFT_OUT_COUNT]: unlessZero(activity.left_out_count),
      ...commonAttributes(activity),
    },
    content: {
      [ATTR_GEN_AI_INPUT_MESSAGES]: contentList(newMessages(input?.request.messages ?? [])),
      [ATTR_GEN_AI_OUTPUT_MESSAGES]: outputMessages(output),
    },
  };
}
