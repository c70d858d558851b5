import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseDnsAnswer } from '../../src/protocol/dns.ts';
import { ipText } from '../../src/protocol/ip-address.ts';

const A = 1;
const CNAME = 5;
const AAAA = 28;
const POINTER_TO_QUESTION = [0xc0, 12];

function name(text: string): number[] {
  return [...text.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]), 0];
}

function record(type: number, data: readonly number[], owner = POINTER_TO_QUESTION): number[] {
  return [...owner, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data];
}

function message(type: number, answers: readonly number[][], rcode = 0, question = name('api.example.com')): Buffer {
  return Buffer.from([
    ...[0x12, 0x34, 0x81, 0x80 | rcode, 0, 1, 0, answers.length, 0, 0, 0, 0],
    ...[...question, 0, type, 0, 1],
    ...answers.flat(),
  ]);
}

test('the addresses of a name, behind an alias', () => {
  const alias = record(CNAME, [3, 99, 100, 110, ...POINTER_TO_QUESTION]);
  const answer = parseDnsAnswer(message(A, [alias, record(A, [10, 0, 0, 1]), record(A, [10, 0, 0, 2])]));
  assert.deepEqual(answer, {
    name: 'api.example.com',
    type: A,
    addresses: ['10.0.0.1', '10.0.0.2'],
    rcode: 'NOERROR',
  });
});

test('IPv6 addresses', () => {
  const address = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
  assert.deepEqual(parseDnsAnswer(message(AAAA, [record(AAAA, address)]))?.addresses, ['2001:db8::1']);
});

test('a name that does not exist', () => {
  const answer = parseDnsAnswer(message(A, [], 3));
  assert.deepEqual([answer?.rcode, answer?.addresses], ['NXDOMAIN', []]);
  assert.equal(parseDnsAnswer(message(A, [], 11))?.rcode, 'RCODE11');
});

test('a query is no answer', () => {
  const query = message(A, []);
  query.writeUInt16BE(0x0100, 2);
  assert.equal(parseDnsAnswer(query), undefined);
});

test('a message cut short gives the addresses up to there', () => {
  const whole = message(A, [record(A, [10, 0, 0, 1]), record(A, [10, 0, 0, 2])]);
  assert.deepEqual(parseDnsAnswer(whole.subarray(0, -1))?.addresses, ['10.0.0.1']);
});

describe('hostile messages', () => {
  test('a name that points at itself', () => {
    assert.equal(parseDnsAnswer(message(A, [], 0, [0xc0, 12])), undefined);
  });
  test('two pointers in a circle', () => {
    assert.equal(parseDnsAnswer(message(A, [], 0, [1, 97, 0xc0, 12])), undefined);
  });
  test('any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat({ max: 40 }), (noise, at) => {
        const bytes = message(A, [record(A, [10, 0, 0, 1])]);
        bytes.set(noise.subarray(0, bytes.length - at), at);
        for (const address of parseDnsAnswer(bytes)?.addresses ?? []) assert.match(address, /^[0-9a-f.:]+$/);
      }),
      { numRuns: 300 },
    );
  });
});

describe('IPv6 text as RFC 5952 says', () => {
  const cases: readonly (readonly [hex: string, text: string])[] = [
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['20010db8000000000000000000000000', '2001:db8::'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['20010000000000010000000000000001', '2001:0:0:1::1'],
    ['fe80000000000000020000fffe000001', 'fe80::200:ff:fe00:1'],
    ['10000000100000001000000000000010', '1000:0:1000:0:1000::10'],
  ];
  for (const [hex, text] of cases) test(text, () => assert.equal(ipText(Buffer.from(hex, 'hex')), text));
});
