import { doubleField, floatField, protoField } from '../protocol/proto-bytes.ts';

const struct = [protoField(1, [protoField(1, 'n'), protoField(2, doubleField(2, 2.5))])];
const call = (part: number) => protoField(part, [protoField(1, 'ls'), protoField(2, struct), protoField(3, 'c1')]);

/** A request and an answer of each API over gRPC: one message each. */
export const GRPC_SAMPLES = [
  {
    target: '/google.ai.generativelanguage.v1beta.GenerativeService/StreamGenerateContent',
    request: Buffer.concat([
      protoField(1, 'models/m'),
      protoField(8, [protoField(1, [protoField(2, 'Be brief.')])]),
      protoField(2, [protoField(1, [protoField(2, 'hi')]), protoField(1, [call(4)]), protoField(2, 'user')]),
      protoField(4, [protoField(4, 100), floatField(5, 0.2), protoField(2, 'END')]),
      protoField(5, [protoField(1, [protoField(1, 'ls'), protoField(2, 'Lists')])]),
    ]),
    response: Buffer.concat([
      protoField(1, [
        protoField(1, [protoField(1, [protoField(2, 'hi')]), protoField(1, [call(4)])]),
        protoField(2, 1),
      ]),
      protoField(3, [protoField(1, 10), protoField(2, 5)]),
      protoField(4, 'm'),
    ]),
  },
  {
    target: '/google.cloud.aiplatform.v1.PredictionService/GenerateContent',
    request: Buffer.concat([
      protoField(5, 'models/m'),
      protoField(2, [protoField(1, 'user'), protoField(2, [protoField(1, 'hi')])]),
      protoField(4, [floatField(1, 0.2), protoField(5, 100)]),
    ]),
    response: Buffer.concat([
      protoField(2, [protoField(2, [protoField(1, 'model'), protoField(2, [protoField(1, 'hi')])]), protoField(3, 1)]),
      protoField(4, [protoField(1, 3), protoField(2, 2)]),
    ]),
  },
];
