import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { createLibraryOpenings } from '../src/library-openings.ts';
import type { Event, FileChangeEvent, FileIoEvent, FileOpenEvent } from '../src/model/event.ts';

const base = { ktime_ns: 1n, process: '7:1', pid: 7, tid: 7 } as const;
const LIBSSL = '/opt/venv/libssl.so.3';

const open = (given: Partial<FileOpenEvent>): Event =>
  ({
    ...base,
    kind: 'file_open',
    file_id: 1n,
    flags: fs.constants.O_RDONLY,
    errno: 0,
    path: LIBSSL,
    ...given,
  }) as Event;
const io = (given: Partial<FileIoEvent>): Event => ({ ...base, kind: 'file_io', file_id: 1n, ...given }) as Event;
const change = (given: Partial<FileChangeEvent>): Event =>
  ({ ...base, kind: 'file_change', operation: 'rename', errno: 0, path: '/opt/x', ...given }) as Event;

/** The files to look into, one for each event. */
const filesOf = (...events: readonly Event[]): readonly (string | undefined)[] => {
  const openings = createLibraryOpenings();
  return events.map((event) => openings.fileOf(event));
};

test('a TLS library is looked into when it is opened to be read, other files are not', () => {
  assert.deepEqual(filesOf(open({}), open({ path: '/etc/passwd' }), open({ errno: 2 })), [
    LIBSSL,
    undefined,
    undefined,
  ]);
});

test('a library whose installation takes long is looked into once it is whole', () => {
  const flags = fs.constants.O_WRONLY | fs.constants.O_CREAT;
  const events = [open({ flags }), io({ closed: false }), io({ closed: false }), io({ closed: true })];
  assert.deepEqual(filesOf(...events, io({ closed: true })), [undefined, undefined, undefined, LIBSSL, undefined]);
});

test('what another opening does to its file says nothing of a library that is being installed', () => {
  const events = [open({ flags: fs.constants.O_RDWR }), io({ file_id: 2n, closed: true }), io({ closed: true })];
  assert.deepEqual(filesOf(...events), [undefined, undefined, LIBSSL]);
});

test('a file that is given the name of a TLS library is looked into under that name', () => {
  assert.deepEqual(filesOf(change({ new_path: LIBSSL }), change({ new_path: LIBSSL, errno: 13 }), change({})), [
    LIBSSL,
    undefined,
    undefined,
  ]);
});
