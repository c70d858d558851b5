import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { createAwsEventStreamReader } from '../../src/protocol/aws-event-stream.ts';
import { createGrpcReader } from '../../src/protocol/grpc.ts';
import { createJsonRpcReader } from '../../src/protocol/json-rpc-reader.ts';
import { developerSchema } from '../../src/providers/gemini-schema.ts';
import { protoMessage } from '../../src/providers/proto-message.ts';
import { awsEvent, awsMessage } from '../protocol/aws-event.ts';
import { grpcMessage, protoField } from '../protocol/proto-bytes.ts';
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

/** As a reader gets them: so many bytes at a time. */
function* cut(bytes: Buffer, piece_bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += piece_bytes) yield bytes.subarray(at, at + piece_bytes);
}

function awsReader() {
  const sink = { hold: () => true, message: ignore, tooLarge: ignore, malformed: ignore };
  return createAwsEventStreamReader({ max_message_bytes: 2 ** 26, ...sink });
}

function grpcReader() {
  const sink = { hold: () => true, message: ignore, tooLarge: ignore, malformed: ignore };
  return createGrpcReader({ max_message_bytes: 2 ** 26, ...sink });
}

function jsonRpcReader() {
  const sink = { message: ignore, skipped: ignore, tooLarge: ignore, leftOut: ignore };
  return createJsonRpcReader<number>({ max_message_bytes: 2 ** 26, hold: () => true }, sink);
}

describe('what is small and valid, repeated on and on, takes work that grows as its bytes do', () => {
  test('preludes of an Amazon event stream', () => {
    assertLinear(16_000, (units) => awsReader().push(preludes(units)));
  });

  const events = {
    'messages of an Amazon event stream': awsEvent('x', {}),
    'beginnings of messages of an Amazon event stream': awsEvent('x', {}).subarray(0, 20),
  };
  for (const [name, event] of Object.entries(events)) {
    test(name, () => assertLinear(2000, (units) => awsReader().push(repeated(event, units))));
  }

  test('messages of gRPC', () => {
    assertLinear(20_000, (units) => grpcReader().push(repeated(grpcMessage(Buffer.of(1)), units)));
  });

  test('the bytes of one message of gRPC, or of an Amazon event stream', () => {
    assertLinear(10_000, (units) => {
      const message = grpcMessage(Buffer.alloc(units));
      const readers = [grpcReader(), awsReader()];
      for (const [index, bytes] of [message, awsMessage({}, message)].entries()) {
        for (const piece of cut(bytes, 1)) readers[index]?.push(piece);
      }
    });
  });

  test('lines and frames of JSON-RPC', () => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{}}';
    for (const unit of [`${text}\n`, `Content-Length: ${text.length}\r\n\r\n${text}`, 'Content-Length: 9\r\n', '\n']) {
      assertLinear(1000, (units) => jsonRpcReader().push(repeated(Buffer.from(unit), units), 0));
    }
  });

  test('the bytes of one line of JSON-RPC', () => {
    assertLinear(10_000, (units) => {
      const reader = jsonRpcReader();
      for (const piece of cut(Buffer.alloc(units, '{'), 1)) reader.push(piece, 0);
    });
  });

  test('fields of a protobuf message', () => {
    for (const unit of [protoField(2, ''), protoField(2, [protoField(1, '')]), protoField(4, '')]) {
      assertLinear(6000, (units) => protoMessage(repeated(unit, units), developerSchema.request));
    }
  });

  test('values of a google.protobuf.Struct', () => {
    const entry = protoField(1, [protoField(1, 'a'), protoField(2, protoField(3, 'b'))]);
    const schema = { 1: ['a', 'struct'] } as const;
    assertLinear(2000, (units) => protoMessage(protoField(1, repeated(entry, units)), schema));
  });
});
