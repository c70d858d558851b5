import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { redactOptionsSchema } from '../../src/redact/redact-options.ts';
import { createRedactor } from '../../src/redact/redactor.ts';

const redactor = createRedactor(redactOptionsSchema.parse({}));

const characters = (alphabet: string, minLength: number, maxLength = minLength) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });
const ALNUM = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Secrets that are known wherever they stand, also between letters. */
const shaped = fc.oneof(
  characters(`${ALNUM}_-`, 20, 90).map((x) => `sk-ant-${x}`),
  characters(`${ALNUM}_-`, 20, 90).map((x) => `sk-proj-${x}`),
  characters('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', 16).map((x) => `AKIA${x}`),
  characters(ALNUM, 36).map((x) => `ghp_${x}`),
  characters(`${ALNUM}_`, 60).map((x) => `github_pat_${x}`),
  characters(`${ALNUM}_-`, 35).map((x) => `AIza${x}`),
  characters(`${ALNUM}_-`, 20).map((x) => `glpat-${x}`),
  characters(ALNUM, 34).map((x) => `hf_${x}`),
  characters(ALNUM, 36).map((x) => `npm_${x}`),
  characters(`${ALNUM}+/`, 64, 400).map((x) => `-----BEGIN PRIVATE KEY-----\n${x}\n-----END PRIVATE KEY-----`),
);

/** Punctuation and words that the patterns themselves are made of, and any other text. */
const surroundings = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(...'=:"\'\\`,;&|@ \n\t-/?<>(){}[]$'),
      fc.constantFrom('password', 'token', 'api_key', '--token', 'Bearer', 'Basic', '://', 'Cookie: ', '\\n', '\\"'),
      fc.constantFrom(
        '[REDACTED:jwt]',
        '[REDACTED:',
        '-----BEGIN RSA PRIVATE KEY-----',
        '-----END RSA PRIVATE KEY-----',
      ),
      fc.constantFrom('curl ', ' -u ', 'eyJ', 'sk-', 'Authorization: ', '${', '$('),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));

/** A piece out of the middle: nothing of a secret may remain. */
const middle = (secret: string) => secret.slice(secret.length >> 1, (secret.length >> 1) + 10);

test('a token behind a backslash behind the beginning of a key is taken out', () => {
  const token = `npm_${'a'.repeat(36)}`;
  assert.ok(!redactor.text(`-----BEGIN RSA PRIVATE KEY-----\\${token}`).includes(middle(token)));
});

test('a secret of a known shape never survives, whatever stands around it', () => {
  fc.assert(
    fc.property(surroundings, shaped, surroundings, (before, secret, after) => {
      assert.ok(!redactor.text(before + secret + after).includes(middle(secret)));
    }),
    { numRuns: 1500 },
  );
});

const password = characters(`${ALNUM}!%+~^#@/_-`, 12, 40)
  .map((x) => `${x}7`)
  .filter((x) => /^[A-Za-z0-9]/.test(x));

const named: readonly ((secret: string) => string)[] = [
  (x) => `password=${x}`,
  (x) => `PASSWORD="${x}"`,
  (x) => `{"api_key": "${x}"}`,
  (x) => JSON.stringify(JSON.stringify({ client_secret: x })),
  (x) => JSON.stringify(JSON.stringify(JSON.stringify({ client_secret: x }))),
  (x) => `tool --token ${x}`,
  (x) => `tool --api-key '${x}'`,
  (x) => `X-Api-Key: ${x}`,
  (x) => `Authorization: Bearer ${x}`,
  (x) => `Cookie: sid=${x}; b=c`,
  (x) => `auth_token: ${x}`,
];

test('a secret behind a telling name never survives on a line of its own', () => {
  const line = fc.string({ unit: 'binary', maxLength: 30 }).filter((x) => !/["'`\\]/.test(x));
  fc.assert(
    fc.property(line, fc.constantFrom(...named), password, line, (before, write, secret, after) => {
      assert.ok(!redactor.text(`${before}\n${write(secret)}\n${after}`).includes(middle(secret)));
    }),
    { numRuns: 1500 },
  );
});

test('redacting a second time changes nothing', () => {
  const mixed = fc.array(fc.oneof(surroundings, shaped, password), { maxLength: 6 }).map((x) => x.join(''));
  fc.assert(
    fc.property(mixed, (text) => {
      const once = redactor.text(text);
      assert.equal(redactor.text(once), once);
    }),
    { numRuns: 3000 },
  );
});

/** The same keys in the same places, the same types of leaves. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([key, item]) => [key, shapeOf(item)]);
}

test('JSON keeps its structure, and no secret in it survives', () => {
  const tree = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.constant('SECRET'),
      fc.integer(),
      fc.constant(null),
      fc.string({ maxLength: 5 }),
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'command', 'password', 'token', 'name', 'value'), tie('node'), {
        maxKeys: 4,
      }),
    ),
  })).node;
  fc.assert(
    fc.property(tree, shaped, (value, secret) => {
      const plant = (node: unknown): unknown => {
        if (node === 'SECRET') return secret;
        if (Array.isArray(node)) return node.map(plant);
        if (typeof node !== 'object' || node === null) return node;
        return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, plant(item)]));
      };
      const input = plant(value);
      const output = redactor.value(input);
      assert.deepEqual(shapeOf(output), shapeOf(input));
      assert.ok(!JSON.stringify(output)?.includes(JSON.stringify(secret).slice(1, -1)));
    }),
    { numRuns: 500 },
  );
});

test('a megabyte of hostile text is done with', () => {
  const hostile = [
    'token=',
    'token="',
    'token=a(',
    'password: \\"',
    'eyJ',
    '://a:',
    'curl -u ',
    'cookie: a',
    'auth="',
    '"',
    '\\',
    '<token>',
    '<token a',
    'API key: ',
    "'--token', ",
  ];
  const beginnings = ['-----BEGIN PRIVATE KEY-----', 'Bearer ', 'key ', '$5$', '[REDACTED:', 'authorization: Digest '];
  for (const piece of [...hostile, ...beginnings]) {
    const text = piece.repeat(Math.ceil((1 << 20) / piece.length));
    assert.equal(typeof redactor.text(text), 'string');
  }
});

test('secrets of twenty megabytes are taken out whole', () => {
  const long = (unit: string) => unit.repeat(20_000_000 / unit.length);
  for (const [text, after] of [
    [`sk-ant-${long('a')}`, '[REDACTED:anthropic_key]'],
    [`Bearer ${long('a1')}`, 'Bearer [REDACTED:authorization]'],
    [`https://h?sig=${long('a')}`, 'https://h?sig=[REDACTED:url_parameter]'],
    [`password=${long('a')}`, 'password=[REDACTED:credential]'],
    [`{"api_key":"${long('*')}"}`, '{"api_key":"[REDACTED:credential]"}'],
    [`Cookie: a=${long('b; ')}`, 'Cookie: [REDACTED:cookie]'],
    [`eyJ${'a'.repeat(2000)}.eyJ${long('b')}.${long('c')}`, '[REDACTED:jwt]'],
  ] as const) {
    assert.equal(redactor.text(text), after);
  }
});
