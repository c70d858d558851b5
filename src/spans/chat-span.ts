import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions';
import type { ChatActivity } from '../model/activity.ts';
import type { LlmCall, LlmRequest, LlmResponse } from '../model/llm-call.ts';
import { type LooseAttributes, spanName } from './bounded-attributes.ts';
import { contentList, outputMessages } from './content-json.ts';
import {
  ATTR_GEN_AI_INPUT_MESSAGES,
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_OUTPUT_MESSAGES,
  ATTR_GEN_AI_OUTPUT_TYPE,
  ATTR_GEN_AI_PROVIDER_NAME,
  ATTR_GEN_AI_REQUEST_CHOICE_COUNT,
  ATTR_GEN_AI_REQUEST_FREQUENCY_PENALTY,
  ATTR_GEN_AI_REQUEST_MAX_TOKENS,
  ATTR_GEN_AI_REQUEST_MODEL,
  ATTR_GEN_AI_REQUEST_PRESENCE_PENALTY,
  ATTR_GEN_AI_REQUEST_SEED,
  ATTR_GEN_AI_REQUEST_STOP_SEQUENCES,
  ATTR_GEN_AI_REQUEST_STREAM,
  ATTR_GEN_AI_REQUEST_TEMPERATURE,
  ATTR_GEN_AI_REQUEST_TOP_K,
  ATTR_GEN_AI_REQUEST_TOP_P,
  ATTR_GEN_AI_RESPONSE_FINISH_REASONS,
  ATTR_GEN_AI_RESPONSE_ID,
  ATTR_GEN_AI_RESPONSE_MODEL,
  ATTR_GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
  ATTR_GEN_AI_SYSTEM_INSTRUCTIONS,
  ATTR_GEN_AI_TOOL_DEFINITIONS,
  ATTR_GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
  ATTR_GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
  ATTR_GEN_AI_USAGE_COST,
  ATTR_GEN_AI_USAGE_INPUT_TOKENS,
  ATTR_GEN_AI_USAGE_OUTPUT_TOKENS,
  ATTR_GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
  ATTR_UNDERSIGHT_CAPTURE_GAP,
  ATTR_UNDERSIGHT_CAPTURE_TRUNCATED_BYTES,
  ATTR_UNDERSIGHT_ERROR_MESSAGE,
  ATTR_UNDERSIGHT_LEFT_OUT_COUNT,
} from './semconv.gen.ts';
import { commonAttributes, type SpanBody, unlessZero } from './span-body.ts';

export function chatSpan(activity: ChatActivity, cost_usd: number | undefined): SpanBody {
  const { call } = activity;
  const { request, response, gaps } = call;
  return {
    name: spanName(request.operation, request.model ?? response?.model),
    kind: 'client',
    failed: call.error !== undefined,
    attributes: {
      ...request.attributes,
      ...response?.attributes,
      ...requestAttributes(request),
      ...responseAttributes(response),
      [ATTR_GEN_AI_USAGE_COST]: cost_usd,
      [ATTR_GEN_AI_PROVIDER_NAME]: call.provider,
      [ATTR_GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK]: timeToFirstChunk(call),
      [ATTR_SERVER_ADDRESS]: call.server_address,
      [ATTR_SERVER_PORT]: call.server_port,
      [ATTR_HTTP_RESPONSE_STATUS_CODE]: call.http_status,
      [ATTR_ERROR_TYPE]: call.error?.type,
      [ATTR_UNDERSIGHT_CAPTURE_TRUNCATED_BYTES]: unlessZero(gaps.reduce((sum, { bytes }) => sum + bytes, 0)),
      [ATTR_UNDERSIGHT_CAPTURE_GAP]: [...new Set(gaps.map(({ reason }) => reason))],
      [ATTR_UNDERSIGHT_LEFT_OUT_COUNT]: unlessZero(activity.left_out_count),
      ...commonAttributes(activity),
    },
    content: {
      [ATTR_GEN_AI_SYSTEM_INSTRUCTIONS]: contentList(request.system_instructions),
      [ATTR_GEN_AI_TOOL_DEFINITIONS]: contentList(request.tools),
      [ATTR_GEN_AI_INPUT_MESSAGES]: contentList(request.messages),
      [ATTR_GEN_AI_OUTPUT_MESSAGES]: outputMessages(call),
      [ATTR_UNDERSIGHT_ERROR_MESSAGE]: call.error?.message,
    },
  };
}

function requestAttributes(request: LlmRequest): LooseAttributes {
  return {
    [ATTR_GEN_AI_OPERATION_NAME]: request.operation,
    [ATTR_GEN_AI_REQUEST_MODEL]: request.model,
    [ATTR_GEN_AI_REQUEST_MAX_TOKENS]: request.max_tokens,
    [ATTR_GEN_AI_REQUEST_TEMPERATURE]: request.temperature,
    [ATTR_GEN_AI_REQUEST_TOP_P]: request.top_p,
    [ATTR_GEN_AI_REQUEST_TOP_K]: request.top_k,
    [ATTR_GEN_AI_REQUEST_FREQUENCY_PENALTY]: request.frequency_penalty,
    [ATTR_GEN_AI_REQUEST_PRESENCE_PENALTY]: request.presence_penalty,
    [ATTR_GEN_AI_REQUEST_SEED]: request.seed,
    [ATTR_GEN_AI_REQUEST_STOP_SEQUENCES]: request.stop_sequences,
    // The conventions want these two only where they differ from what is usual.
    [ATTR_GEN_AI_REQUEST_STREAM]: request.stream ? true : undefined,
    [ATTR_GEN_AI_REQUEST_CHOICE_COUNT]: request.choice_count === 1 ? undefined : request.choice_count,
    [ATTR_GEN_AI_OUTPUT_TYPE]: request.output_type,
  };
}

function responseAttributes(response: LlmResponse | undefined): LooseAttributes {
  if (response === undefined) return {};
  const { usage } = response;
  return {
    [ATTR_GEN_AI_RESPONSE_ID]: response.id,
    [ATTR_GEN_AI_RESPONSE_MODEL]: response.model,
    [ATTR_GEN_AI_RESPONSE_FINISH_REASONS]: response.finish_reasons,
    [ATTR_GEN_AI_USAGE_INPUT_TOKENS]: usage.input_tokens,
    [ATTR_GEN_AI_USAGE_OUTPUT_TOKENS]: usage.output_tokens,
    [ATTR_GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS]: usage.cache_read_input_tokens,
    [ATTR_GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS]: usage.cache_creation_input_tokens,
    [ATTR_GEN_AI_USAGE_REASONING_OUTPUT_TOKENS]: usage.reasoning_output_tokens,
  };
}

/** Seconds, from the first byte of the request; only streams have chunks. */
function timeToFirstChunk(call: LlmCall): number | undefined {
  if (!call.request.stream || call.response_first_chunk_ns === undefined) return undefined;
  return Number(call.response_first_chunk_ns - call.request_start_ns) / 1e9;
}
