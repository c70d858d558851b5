import { describe, test } from 'node:test';
import { developerSchema } from '../../src/providers/gemini-schema.ts';
import { protoMessage } from '../../src/providers/proto-message.ts';
import { protoField } from '../protocol/proto-bytes.ts';
import { assertLinear } from './cpu-growth.ts';

const repeated = (unit: Uint8Array, times: number): Buffer => Buffer.alloc(unit.length * times, unit);

describe('what is small and valid, repeated on and on, takes work that grows as its bytes do', () => {
  test('fields of a protobuf message', () => {
    assertLinear(6000, (units) => protoMessage(repeated(protoField(2, ''), units), developerSchema.request));
  });
});
