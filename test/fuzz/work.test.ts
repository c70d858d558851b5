import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { createAwsEventStreamReader } from '../../src/protocol/aws-event-stream.ts';
import { developerSchema } from '../../src/providers/gemini-schema.ts';
import { protoMessage } from '../../src/providers/proto-message.ts';
import { protoField } from '../protocol/proto-bytes.ts';
import { assertLinear } from './cpu-growth.ts';

const repeated = (unit: Uint8Array, times: number): Buffer => Buffer.alloc(unit.length * times, unit);
const ignore = () => undefined;

/** Preludes of an Amazon event stream one behind the other, each of a message that goes on to the end. */
function preludes(times: number): Buffer {
  const bytes = Buffer.alloc(times * 12);
  for (let at = 0; at < bytes.length; at += 12) {
    bytes.writeUInt32BE(Math.max(16, bytes.length - at), at);
    bytes.writeUInt32BE(crc32(bytes.subarray(at, at + 8)), at + 8);
  }
  return bytes;
}

describe('what is small and valid, repeated on and on, takes work that grows as its bytes do', () => {
  test('preludes of an Amazon event stream', () => {
    assertLinear(16_000, (units) => {
      const sink = { hold: () => true, message: ignore, tooLarge: ignore, malformed: ignore };
      createAwsEventStreamReader({ max_message_bytes: 2 ** 26, ...sink }).push(preludes(units));
    });
  });

  test('fields of a protobuf message', () => {
    assertLinear(6000, (units) => protoMessage(repeated(protoField(2, ''), units), developerSchema.request));
  });
});
