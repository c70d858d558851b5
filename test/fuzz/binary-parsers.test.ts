import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createAwsEventStreamReader } from '../../src/protocol/aws-event-stream.ts';
import { createGrpcReader } from '../../src/protocol/grpc.ts';
import { createJsonRpcReader } from '../../src/protocol/json-rpc-reader.ts';
import { protoFields } from '../../src/protocol/protobuf.ts';
import { developerSchema, vertexSchema } from '../../src/providers/gemini-schema.ts';
import { protoMessage } from '../../src/providers/proto-message.ts';
import { awsEvent, awsException, awsMessage } from '../protocol/aws-event.ts';
import { doubleField, floatField, grpcMessage, protoField } from '../protocol/proto-bytes.ts';
import { damagedBytes, pieces } from './damaged-bytes.ts';
import { fuzzBudget } from './fuzz-budget.ts';

const RUNS = 300;
const SHARE = 1 / 4;
const MAX_BYTES = 1000;
const ROOM_BYTES = 600;

interface Reader {
  push(bytes: Uint8Array): void;
  gap(): void;
  end(): void;
  readonly held_bytes: number;
}
type Hold = (bytes: number) => boolean;

/** Of each kind, a stream of messages and what reads it. */
const STREAMS: readonly { name: string; seeds: readonly Buffer[]; createReader: (hold: Hold) => Reader }[] = [
  {
    name: 'Amazon event streams',
    seeds: [
      Buffer.concat([
        awsEvent('messageStart', { role: 'assistant' }),
        awsMessage({ yes: true, number: 7, bytes: new Uint8Array(20), ':event-type': 'x' }, new Uint8Array(0)),
        awsEvent('contentBlockDelta', { delta: { text: 'ä€😀'.repeat(30) } }),
        awsException('throttlingException', 'Too many'),
      ]),
    ],
    createReader(hold) {
      const message = ({ payload }: { payload: Buffer }) => assert.ok(payload.length <= MAX_BYTES);
      return createAwsEventStreamReader({
        max_message_bytes: MAX_BYTES,
        hold,
        message,
        tooLarge() {},
        malformed: (bytes) => assert.ok(bytes > 0),
      });
    },
  },
  {
    name: 'gRPC',
    seeds: [Buffer.concat(['one', '', 'x'.repeat(700), 'four'].map((text) => grpcMessage(Buffer.from(text))))],
    createReader(hold) {
      const message = ({ data }: { data: Buffer }) => assert.ok(data.length <= MAX_BYTES);
      return createGrpcReader({ max_message_bytes: MAX_BYTES, hold, message, tooLarge() {}, malformed() {} });
    },
  },
  {
    name: 'JSON-RPC',
    seeds: ['{"jsonrpc":"2.0","id":1,"method":"a"}', '[{"jsonrpc":"2.0","id":"ä","result":{}}]'].flatMap((text) => [
      Buffer.from(`${text}\nprinted\n${text}\r\n`),
      Buffer.from(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`.repeat(3)),
    ]),
    createReader(hold) {
      const { push, ...reader } = createJsonRpcReader<number>(
        { max_message_bytes: MAX_BYTES, hold },
        {
          message: (_message, { bytes }) => assert.ok(bytes <= MAX_BYTES + 2),
          skipped: (bytes) => assert.ok(bytes >= 0),
          tooLarge() {},
          leftOut() {},
        },
      );
      return { ...reader, held_bytes: 0, push: (bytes) => push(bytes, 0) };
    },
  },
];

describe('nothing throws, and what is held stays in its bounds', () => {
  for (const { name, seeds, createReader } of STREAMS) {
    test(name, () => {
      fc.assert(
        fc.property(pieces(damagedBytes(seeds)), (given) => {
          let charged_bytes = 0;
          const reader = createReader((bytes) => {
            if (bytes > 0 && charged_bytes + bytes > ROOM_BYTES) return false;
            charged_bytes += bytes;
            assert.ok(charged_bytes >= 0);
            return true;
          });
          for (const piece of given) {
            if (typeof piece === 'number') reader.gap();
            else reader.push(piece);
            assert.ok(reader.held_bytes <= ROOM_BYTES + 12);
          }
          reader.end();
          assert.equal(charged_bytes, 0, 'what was held is given back');
        }),
        fuzzBudget(RUNS, SHARE),
      );
    });
  }

  const struct = [protoField(1, [protoField(1, 'a'), protoField(2, doubleField(2, 0.5))])];
  const content = [protoField(1, [protoField(2, 'hi')]), protoField(1, [protoField(4, [protoField(2, struct)])])];
  const seeds = [
    Buffer.concat([protoField(1, 'models/m'), protoField(2, content), protoField(4, [floatField(5, 0.2)])]),
    Buffer.concat([protoField(5, 'models/m'), protoField(2, [protoField(1, 'user'), protoField(2, content)])]),
  ];
  test('protobuf', () => {
    fc.assert(
      fc.property(damagedBytes(seeds), fc.nat(20), (bytes, max_fields) => {
        const data = Buffer.from(bytes);
        const read = protoFields(data, max_fields);
        assert.ok((read?.fields.length ?? 0) <= max_fields);
        for (const { request, response } of [developerSchema, vertexSchema]) {
          JSON.stringify([protoMessage(data, request), protoMessage(data, response)]);
        }
      }),
      fuzzBudget(RUNS, SHARE),
    );
  });
});
