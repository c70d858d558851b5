import type { FileChangeEvent, FileChangeOperation, FileIoEvent, FileOpenEvent } from '../model/event.ts';
import * as raw from './events.gen.ts';
import { MalformedRecord, type RingRecord } from './record.ts';

export function decodeFileOpen(record: RingRecord): FileOpenEvent {
  const fields = raw.file_open_event.read(record.view, 0);
  const { file_id, fd, flags, mode } = fields;
  return {
    kind: 'file_open',
    ...record.base,
    origin: fields.origin === raw.origin.ORIGIN_INHERITED ? 'inherited' : 'open',
    file_id,
    fd,
    flags,
    mode,
    errno: fields.error,
    created: fields.created !== 0,
    path: record.takePath(fields.base_bytes, fields.path_bytes),
  };
}

export function decodeFileIo({ view, base }: RingRecord): FileIoEvent {
  const { header: _, closed, ...fields } = raw.file_io_event.read(view, 0);
  return { kind: 'file_io', ...base, ...fields, closed: closed !== 0 };
}

const OPERATIONS: Readonly<Record<number, FileChangeOperation>> = {
  [raw.file_operation.FILE_UNLINK]: 'unlink',
  [raw.file_operation.FILE_RMDIR]: 'rmdir',
  [raw.file_operation.FILE_RENAME]: 'rename',
  [raw.file_operation.FILE_MKDIR]: 'mkdir',
  [raw.file_operation.FILE_TRUNCATE]: 'truncate',
  [raw.file_operation.FILE_LINK]: 'link',
  [raw.file_operation.FILE_SYMLINK]: 'symlink',
};

export function decodeFileChange(record: RingRecord): FileChangeEvent {
  const fields = raw.file_change_event.read(record.view, 0);
  const operation = OPERATIONS[fields.operation];
  if (operation === undefined) throw new MalformedRecord();
  const path = record.takePath(fields.base_bytes, fields.path_bytes);
  const new_path = record.takePath(fields.new_base_bytes, fields.new_path_bytes);
  return { kind: 'file_change', ...record.base, operation, path, new_path: new_path || undefined, errno: fields.error };
}
