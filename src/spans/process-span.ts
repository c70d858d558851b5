import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { ProcessActivity } from '../model/activity.ts';
import { spanName } from './bounded-attributes.ts';
import { baseName, withoutContent } from './command-line.ts';
import {
  ATTR_PROCESS_COMMAND_ARGS,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_EXECUTABLE_PATH,
  ATTR_PROCESS_EXIT_CODE,
  ATTR_PROCESS_PARENT_PID,
  ATTR_PROCESS_PID,
  ATTR_PROCESS_USER_ID,
  ATTR_PROCESS_USER_NAME,
  ATTR_PROCESS_VPID,
  ATTR_PROCESS_WORKING_DIRECTORY,
  ATTR_UNDERSIGHT_CAPTURE_BLIND_SPOTS,
  ATTR_UNDERSIGHT_FOLDED_COUNT,
  ATTR_UNDERSIGHT_LEFT_OUT_COUNT,
} from './semconv.gen.ts';
import { signalName } from './signal-name.ts';
import { effectBody, type SpanBody, unlessEmpty, unlessZero } from './span-body.ts';

const SIGNAL_EXIT_CODE = 128;

/** Semantic conventions, `span.cli.internal`. */
export function processSpan(activity: ProcessActivity): SpanBody {
  const { args } = activity;
  const { exit_code, error_type } = outcome(activity);
  const executable_name = baseName(activity.executable_path) || baseName(args[0] ?? '') || 'process';
  const shown_args = withoutContent(args);
  return effectBody(activity, {
    name: spanName(executable_name),
    kind: 'internal',
    failed: error_type !== undefined,
    attributes: {
      [ATTR_PROCESS_EXECUTABLE_NAME]: executable_name,
      [ATTR_PROCESS_EXECUTABLE_PATH]: unlessEmpty(activity.executable_path),
      [ATTR_PROCESS_COMMAND_ARGS]: shown_args,
      [ATTR_PROCESS_PID]: activity.pid,
      [ATTR_PROCESS_PARENT_PID]: activity.parent_pid,
      [ATTR_PROCESS_VPID]: activity.namespace_pid === activity.pid ? undefined : unlessZero(activity.namespace_pid),
      [ATTR_PROCESS_EXIT_CODE]: exit_code,
      [ATTR_PROCESS_WORKING_DIRECTORY]: unlessEmpty(activity.working_directory),
      [ATTR_PROCESS_USER_ID]: activity.uid,
      [ATTR_PROCESS_USER_NAME]: activity.user_name,
      [ATTR_ERROR_TYPE]: error_type,
      [ATTR_UNDERSIGHT_FOLDED_COUNT]: unlessZero(activity.noise_file_count),
      [ATTR_UNDERSIGHT_LEFT_OUT_COUNT]: unlessZero(activity.left_out_count),
      [ATTR_UNDERSIGHT_CAPTURE_BLIND_SPOTS]: activity.blind_spots,
    },
    content: {
      // Under the same name: with content, the whole command line takes the place of the one without.
      [ATTR_PROCESS_COMMAND_ARGS]: shown_args === args ? undefined : args,
    },
  });
}

function outcome({ exit_code, signal }: ProcessActivity): {
  readonly exit_code: number | undefined;
  readonly error_type: string | undefined;
} {
  if (signal) return { exit_code: SIGNAL_EXIT_CODE + signal, error_type: signalName(signal) };
  return { exit_code, error_type: exit_code ? String(exit_code) : undefined };
}
