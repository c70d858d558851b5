import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { FileActivity } from '../model/activity.ts';
import { spanName } from './bounded-attributes.ts';
import { baseName } from './command-line.ts';
import {
  ATTR_FILE_DIRECTORY,
  ATTR_FILE_EXTENSION,
  ATTR_FILE_NAME,
  ATTR_FILE_PATH,
  ATTR_UNDERSIGHT_FILE_BYTES_READ,
  ATTR_UNDERSIGHT_FILE_BYTES_WRITTEN,
  ATTR_UNDERSIGHT_FILE_CLASS,
  ATTR_UNDERSIGHT_FILE_COUNT,
  ATTR_UNDERSIGHT_FILE_NEW_PATH,
  ATTR_UNDERSIGHT_FILE_OPERATION,
} from './semconv.gen.ts';
import { effectBody, type SpanBody, unlessEmpty, unlessZero } from './span-body.ts';

/** Answers to "is it there?", which programs ask all the time: no failures. */
const ANSWERS: readonly string[] = ['ENOENT', 'ENOTDIR', 'EEXIST'];
const EXTENSION = /[^./]\.([^./\s]{1,32})$/;

export function fileSpan(activity: FileActivity): SpanBody {
  const { path, error_type } = activity;
  const name = baseName(path);
  return effectBody(activity, {
    name: spanName(activity.operation, activity.class),
    kind: 'internal',
    failed: error_type !== undefined && !ANSWERS.includes(error_type),
    attributes: {
      [ATTR_FILE_PATH]: path,
      [ATTR_FILE_NAME]: unlessEmpty(name),
      [ATTR_FILE_DIRECTORY]: path.startsWith('/') ? path.slice(0, -name.length - 1) || '/' : undefined,
      [ATTR_FILE_EXTENSION]: EXTENSION.exec(name)?.[1],
      [ATTR_ERROR_TYPE]: error_type,
      [ATTR_UNDERSIGHT_FILE_OPERATION]: activity.operation,
      [ATTR_UNDERSIGHT_FILE_CLASS]: activity.class,
      [ATTR_UNDERSIGHT_FILE_BYTES_READ]: unlessZero(activity.bytes_read),
      [ATTR_UNDERSIGHT_FILE_BYTES_WRITTEN]: unlessZero(activity.bytes_written),
      [ATTR_UNDERSIGHT_FILE_COUNT]: activity.count,
      [ATTR_UNDERSIGHT_FILE_NEW_PATH]: activity.new_path,
    },
    content: {},
  });
}
