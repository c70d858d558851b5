import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redactOptionsSchema } from '../../src/redact/redact-options.ts';
import { createRedactor } from '../../src/redact/redactor.ts';

const redactor = createRedactor(redactOptionsSchema.parse({}));

const cases: readonly (readonly [args: readonly string[], after: readonly string[]])[] = [
  [
    ['mytool', '--token', 'x', '-api-key', 'y', 'z'],
    ['mytool', '--token', '[REDACTED:credential]', '-api-key', '[REDACTED:credential]', 'z'],
  ],
  [
    ['mytool', '--password=a b', '--name=c'],
    ['mytool', '--password=[REDACTED:credential]', '--name=c'],
  ],
  [
    ['/usr/bin/curl', '-u', 'bob:pw', 'https://h'],
    ['/usr/bin/curl', '-u', 'bob:[REDACTED:credential]', 'https://h'],
  ],
  [
    ['curl', '-uadmin:uSecret33', '-Uadmin:USecret32', '--user=admin:x', '--proxy-user=p:y', '-fsS'],
    [
      'curl',
      '-uadmin:[REDACTED:credential]',
      '-Uadmin:[REDACTED:credential]',
      '--user=admin:[REDACTED:credential]',
      '--proxy-user=p:[REDACTED:credential]',
      '-fsS',
    ],
  ],
  [
    ['curl', '-b', 'session=CookieSecret77; a=b', '--cookie', 'c=d', '--cookie=e=f', '-bg=h', '-b', 'cookies.txt'],
    [
      'curl',
      '-b',
      'session=[REDACTED:credential]',
      '--cookie',
      '[REDACTED:cookie]',
      '--cookie=[REDACTED:cookie]',
      '-bg=[REDACTED:credential]',
      '-b',
      'cookies.txt',
    ],
  ],
  [
    ['curl', '-H', 'Authorization: Bearer q', '-H', 'Cookie: a=b'],
    ['curl', '-H', 'Authorization: Bearer [REDACTED:authorization]', '-H', 'Cookie: [REDACTED:cookie]'],
  ],
  [
    ['env', 'FOO_TOKEN=x y', 'HOME=/root', 'cmd'],
    ['env', 'FOO_TOKEN=[REDACTED:credential]', 'HOME=/root', 'cmd'],
  ],
  [
    ['bash', '-c', 'API_KEY=x tool --token y'],
    ['bash', '-c', 'API_KEY=[REDACTED:credential] tool --token [REDACTED:credential]'],
  ],
  [
    ['mysql', '-uroot', '-psecret', 'db'],
    ['mysql', '-uroot', '-p[REDACTED:credential]', 'db'],
  ],
  [
    ['sshpass', '-p', 'pw', 'ssh', '-p', '22', 'h'],
    ['sshpass', '-p', '[REDACTED:credential]', 'ssh', '-p', '22', 'h'],
  ],
];

describe('arguments', () => {
  for (const [args, after] of cases) {
    test(after.join(' '), () => {
      assert.deepEqual(redactor.args(args), after);
      assert.deepEqual(redactor.args(after), after, 'a second time changes nothing');
    });
  }

  test('a flag is no value of the flag before it', () => {
    const args = ['curl', '-u', '-H:x', 'https://h'];
    assert.equal(redactor.args(args), args);
  });

  test('arguments without secrets come back as they are', () => {
    const args = [
      'docker',
      'run',
      '-u',
      '1000:1000',
      '-p',
      '80:80',
      '--no-password',
      'x',
      '--token-file',
      '/run/token',
    ];
    assert.equal(redactor.args(args), args);
  });
});

describe('JSON values', () => {
  test('a secret that only its key betrays is taken out', () => {
    assert.deepEqual(redactor.value({ password: 'x', n: { apiKey: 'y', max_tokens: 5, token: 7, secret: null } }), {
      password: '[REDACTED:credential]',
      n: { apiKey: '[REDACTED:credential]', max_tokens: 5, token: 7, secret: null },
    });
  });

  test('a list of strings is read as arguments', () => {
    assert.deepEqual(redactor.value({ command: ['tool', '--token', 'x'] }), {
      command: ['tool', '--token', '[REDACTED:credential]'],
    });
  });

  test('a name and its value may be two fields', () => {
    assert.deepEqual(
      redactor.value([
        { name: 'DB_PASSWORD', value: 'x' },
        { name: 'PORT', value: '1' },
      ]),
      [
        { name: 'DB_PASSWORD', value: '[REDACTED:credential]' },
        { name: 'PORT', value: '1' },
      ],
    );
  });

  test('a name may stand above its value, as in the schema of a tool', () => {
    const token = { type: 'string', description: 'of the project', default: 'x1' };
    assert.deepEqual(redactor.value({ properties: { token, city: { default: 'Paris' } } }), {
      properties: { token: { ...token, default: '[REDACTED:credential]' }, city: { default: 'Paris' } },
    });
  });

  test('a value without secrets comes back as it is', () => {
    const value = { path: '/a', list: [1, { b: 'c' }] };
    assert.equal(redactor.value(value), value);
  });

  test('what is nested too deeply is cut, not followed', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}"x"${']'.repeat(100_000)}`);
    assert.match(JSON.stringify(redactor.value(deep)), /^\[{64}"\[REDACTED:too_deep\]"\]{64}$/);
  });

  test('a field named __proto__ stays a field', () => {
    const output = redactor.value(JSON.parse('{"__proto__":{"password":"x"}}'));
    assert.equal(JSON.stringify(output), '{"__proto__":{"password":"[REDACTED:credential]"}}');
  });
});
