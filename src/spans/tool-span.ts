import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { ToolActivity } from '../model/activity.ts';
import { spanName } from './bounded-attributes.ts';
import { contentText } from './content-json.ts';
import { mcpAttributes, mcpErrorContent } from './mcp-span.ts';
import {
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_TOOL_CALL_ARGUMENTS,
  ATTR_GEN_AI_TOOL_CALL_ID,
  ATTR_GEN_AI_TOOL_CALL_RESULT,
  ATTR_GEN_AI_TOOL_DESCRIPTION,
  ATTR_GEN_AI_TOOL_NAME,
  ATTR_GEN_AI_TOOL_TYPE,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_EXECUTABLE_PATH,
  ATTR_PROCESS_EXIT_CODE,
  ATTR_UNDERSIGHT_LEFT_OUT_COUNT,
} from './semconv.gen.ts';
import { commonAttributes, type SpanBody, unlessEmpty, unlessZero } from './span-body.ts';

export function toolSpan(activity: ToolActivity): SpanBody {
  const { tool, executable, mcp } = activity;
  return {
    name: spanName('execute_tool', tool.name, executable?.name),
    kind: 'internal',
    failed: activity.error_type !== undefined,
    attributes: {
      [ATTR_GEN_AI_OPERATION_NAME]: 'execute_tool',
      [ATTR_GEN_AI_TOOL_NAME]: tool.name,
      [ATTR_GEN_AI_TOOL_CALL_ID]: unlessEmpty(tool.id),
      [ATTR_GEN_AI_TOOL_TYPE]: activity.tool_type,
      [ATTR_GEN_AI_TOOL_DESCRIPTION]: activity.description,
      [ATTR_PROCESS_EXECUTABLE_NAME]: executable?.name,
      [ATTR_PROCESS_EXECUTABLE_PATH]: executable?.path,
      [ATTR_PROCESS_EXIT_CODE]: executable?.exit_code,
      [ATTR_ERROR_TYPE]: activity.error_type,
      [ATTR_UNDERSIGHT_LEFT_OUT_COUNT]: unlessZero(activity.left_out_count),
      ...(mcp && mcpAttributes(mcp)),
      ...commonAttributes(activity),
    },
    content: {
      [ATTR_GEN_AI_TOOL_CALL_ARGUMENTS]: contentText(tool.arguments),
      [ATTR_GEN_AI_TOOL_CALL_RESULT]: contentText(activity.result ?? mcp?.result),
      ...mcpErrorContent(activity.error_type === undefined ? undefined : mcp),
    },
  };
}
