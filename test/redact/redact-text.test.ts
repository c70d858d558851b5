import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redactOptionsSchema } from '../../src/redact/redact-options.ts';
import { createRedactor } from '../../src/redact/redactor.ts';

const redactor = createRedactor(redactOptionsSchema.parse({}));
const fake = (prefix: string, length: number) => prefix + 'a1B2c3D4e5F6g7H8'.repeat(8).slice(0, length);
const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${fake('', 43)}`;

const redacted: readonly (readonly [before: string, after: string])[] = [
  [`export OPENAI_API_KEY=${fake('sk-proj-', 40)}`, 'export OPENAI_API_KEY=[REDACTED:openai_key]'],
  [`key ${fake('sk-', 48)}, and`, 'key [REDACTED:openai_key], and'],
  [`"${fake('sk-ant-api03-', 80)}"`, '"[REDACTED:anthropic_key]"'],
  ['AKIAIOSFODNN7EXAMPLE', '[REDACTED:aws_access_key]'],
  [fake('ghp_', 36), '[REDACTED:github_token]'],
  [
    `https://x-access-token:${fake('ghs_', 36)}@github.com/a/b`,
    'https://x-access-token:[REDACTED:github_token]@github.com/a/b',
  ],
  [fake('github_pat_', 60), '[REDACTED:github_token]'],
  [fake('xoxb-', 40), '[REDACTED:slack_token]'],
  [fake('AIza', 35), '[REDACTED:google_key]'],
  [fake('glpat-', 20), '[REDACTED:gitlab_token]'],
  [fake('hf_', 34), '[REDACTED:huggingface_token]'],
  [fake('npm_', 36), '[REDACTED:npm_token]'],
  [fake('r8_', 37), '[REDACTED:replicate_key]'],
  [`/tmp/session-${jwt}`, '/tmp/session-[REDACTED:jwt]'],
  [`my_session_${jwt}.json`, 'my_session_[REDACTED:jwt].json'],
  [`session ${jwt} ok`, 'session [REDACTED:jwt] ok'],
  [
    'curl -H "Authorization: Bearer hello" https://x',
    'curl -H "Authorization: Bearer [REDACTED:authorization]" https://x',
  ],
  ['authorization: Basic dXNlcjpwYXNz\r\nhost: x', 'authorization: Basic [REDACTED:authorization]\r\nhost: x'],
  ['use Bearer abc123def', 'use Bearer [REDACTED:authorization]'],
  ['sent Basic dXNlcjpwYXNz there', 'sent Basic [REDACTED:authorization] there'],
  ["-H 'x-api-key: abc'", "-H 'x-api-key: [REDACTED:credential]'"],
  ['Cookie: a=b; c=d\r\nHost: x', 'Cookie: [REDACTED:cookie]\r\nHost: x'],
  ['Set-Cookie: a="b c"; d=e\nx', 'Set-Cookie: [REDACTED:cookie]\nx'],
  ['"Cookie: a=b; c=d", "x"', '"Cookie: [REDACTED:cookie]", "x"'],
  ['Authorization: Digest username="u", response="abc"\r\nx', 'Authorization: Digest [REDACTED:authorization]\r\nx'],
  ['headers = {"Authorization": "Bearer abc"}', 'headers = {"Authorization": "Bearer [REDACTED:authorization]"}'],
  ['password=hunter2 next', 'password=[REDACTED:credential] next'],
  [
    'mytool --token x --password "a b" file',
    'mytool --token [REDACTED:credential] --password "[REDACTED:credential]" file',
  ],
  [`sh -c "mytool '--password' 'Zq1x' -v"`, `sh -c "mytool '--password' '[REDACTED:credential]' -v"`],
  ['["mytool","--token","Zq1x"]', '["mytool","--token","[REDACTED:credential]"]'],
  ['SECRET_KEY_BASE=0a1b2c', 'SECRET_KEY_BASE=[REDACTED:credential]'],
  ['    client-key-data: LS0tLS1CRUdJTg==\n', '    client-key-data: [REDACTED:credential]\n'],
  ['client_key_data: LS0tLS1C', 'client_key_data: [REDACTED:credential]'],
  ['<user>me</user><password>Zq1x</password>', '<user>me</user><password>[REDACTED:credential]</password>'],
  [
    '<db:Password x="1"><![CDATA[a b]]></db:Password>',
    '<db:Password x="1"><![CDATA[[REDACTED:credential]]]></db:Password>',
  ],
  ['Incorrect API key provided: Zq1xWv7T. You can', 'Incorrect API key provided: [REDACTED:credential]. You can'],
  ['here is the API key: Zq1xWv7T', 'here is the API key: [REDACTED:credential]'],
  ['mytool --api-key=x', 'mytool --api-key=[REDACTED:credential]'],
  ['token: x', 'token: [REDACTED:credential]'],
  ['db:\n  password: hunter\n', 'db:\n  password: [REDACTED:credential]\n'],
  ['DB_PASSWORD=ab,cd', 'DB_PASSWORD=[REDACTED:credential]'],
  ['{"api_key":"abc\\"def","other":1}', '{"api_key":"[REDACTED:credential]","other":1}'],
  [
    '{"body":"{\\"apiKey\\":\\"a1\\\\\\"b\\",\\"x\\":1}"}',
    '{"body":"{\\"apiKey\\":\\"[REDACTED:credential]\\",\\"x\\":1}"}',
  ],
  ['{"body":"{\\"token\\":\\"cut","next":"kept"}', '{"body":"{\\"token\\":\\"[REDACTED:credential]","next":"kept"}'],
  ["headers['x-api-key'] = 'abc'", "headers['x-api-key'] = '[REDACTED:credential]'"],
  ['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'aws_secret_access_key = [REDACTED:credential]'],
  ['"SecretAccessKey": "wJalrXUtnFEMI"', '"SecretAccessKey": "[REDACTED:credential]"'],
  ['Server=x;Uid=u;Pwd=secret1;Port=1', 'Server=x;Uid=u;Pwd=[REDACTED:credential];Port=1'],
  ['AccountName=a;AccountKey=Zm9v==;x', 'AccountName=a;AccountKey=[REDACTED:credential];x'],
  ['postgres://u:p@ss@host/db', 'postgres://u:[REDACTED:url_password]@host/db'],
  ['/srv/http:/u:pw@host/x', '/srv/http:/u:[REDACTED:url_password]@host/x'],
  [`https:/${fake('', 24)}@host/x`, 'https:/[REDACTED:url_password]@host/x'],
  ['redis://:pw@host', 'redis://:[REDACTED:url_password]@host'],
  ['https://h/p?access_token=abc&x=1', 'https://h/p?access_token=[REDACTED:credential]&x=1'],
  ['https://h/p?X-Amz-Signature=abcdef123456&x=1', 'https://h/p?X-Amz-Signature=[REDACTED:url_parameter]&x=1'],
  ['//registry.npmjs.org/:_authToken=abc', '//registry.npmjs.org/:_authToken=[REDACTED:credential]'],
  ['machine h login u password z', 'machine h login u password [REDACTED:credential]'],
  ['curl -s -u bob:pw http://x', 'curl -s -u bob:[REDACTED:credential] http://x'],
  ['curl -uadmin:uSecret33 http://x', 'curl -uadmin:[REDACTED:credential] http://x'],
  ['curl --user=admin:x http://x', 'curl --user=admin:[REDACTED:credential] http://x'],
  ['curl -b "session=Cookie77; a=b" http://x', 'curl -b "session=[REDACTED:credential]" http://x'],
  ['curl --cookie session=Cookie77 http://x; ls', 'curl --cookie [REDACTED:cookie] http://x; ls'],
  ['sshpass -p pw ssh h', 'sshpass -p [REDACTED:credential] ssh h'],
  ['docker login -u bob -p pw reg', 'docker login -u bob -p [REDACTED:credential] reg'],
  ['{"auths":{"r":{"auth":"dXNlcjpwYXNz"}}}', '{"auths":{"r":{"auth":"[REDACTED:credential]"}}}'],
  ['root:$6$saltsalt$abcdefghijklmnopqrstuvwxyz:1', 'root:[REDACTED:password_hash]:1'],
  ['a\n-----BEGIN RSA PRIVATE KEY-----\nMIIab+/=\n-----END RSA PRIVATE KEY-----\nb', 'a\n[REDACTED:private_key]\nb'],
  ['"k":"-----BEGIN PRIVATE KEY-----\\nMIIab\\n-----END PRIVATE KEY-----\\n"', '"k":"[REDACTED:private_key]\\n"'],
  ['cut -----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r', 'cut [REDACTED:private_key]'],
];

const kept: readonly string[] = [
  'The token is a unit of text. Token: the smallest unit of meaning.',
  'max_tokens: 100, prompt_tokens=12, "total_tokens": 15',
  'next_page_token: abc, pad_token="[PAD]"',
  'const token = getToken(); let password: string;',
  'interface A { token: string | undefined; secret: Buffer; apiKey?: string }',
  'foo(password=password, token=os.environ["TOKEN"], api_key=settings.api_key)',
  'if (token === "abc") return',
  'Authorization: Bearer $TOKEN',
  'f"Authorization: Bearer {token}"',
  `API_KEY: \${{ secrets.API_KEY }}`,
  `PASSWORD=$(cat file) TOKEN=$TOKEN KEY=\${KEY}`,
  'PWD=/home/user OLDPWD=/tmp',
  'use bearer authentication, or Basic authentication',
  'a Bearer token of the basic understanding',
  'git commit 82f98f2c9d1e4b7a6f5c3d2e1b0a998877665544',
  'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'id 123e4567-e89b-42d3-a456-426614174000',
  '/etc/ssl/private/key.pem /home/u/.ssh/id_rsa /run/secrets/db_password',
  'src/task-management/desk-lamp-controller.ts',
  '.sk-loading-indicator-container { color: red }',
  'https://user@example.com/path?page=2&key=name#top',
  'https://example.com:8080/a@b',
  'sort -u file:name; docker run -u 1000:1000 img',
  '-----BEGIN CERTIFICATE-----\nMIIabc\n-----END CERTIFICATE-----',
  '-----BEGIN PUBLIC KEY-----\nMIIabc\n-----END PUBLIC KEY-----',
  'a = "-----BEGIN PRIVATE KEY-----"\nb = "-----END PRIVATE KEY-----"',
  "print('Password: ')\nnext('x')",
  'node.srcToken = token; exports.createCredentials = createInsecureCredentials = void 0',
  'credentials: (url) => { return null }',
  'ERRORTOKEN = 60',
  'cmd --password=%s token=%r',
  'func { bpf_cookie: "uint64_t" }',
  '[REDACTED:jwt] password=[REDACTED:credential]',
  'chatcmpl-9abcDEF123456 toolu_01A09q90qw90lq917835lq9 call_VSPygqKTWdrhaFErNvMV18Yl',
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ',
  'tests: pass: 12, fail: 0',
  'Add the "--token" flag, then "--password" "--verbose". Names: "password", "token", "x".',
  'token_data = decode(raw); password_base: int; const keyData = read();',
  '<Token>{x}</Token> <title>The secret</title> <password></password> <token/>',
  'No API key provided: see the documentation. API key: required. API key: $OPENAI_API_KEY',
  'pad_token_value: 0',
  '{"token": null, "password": true, "secret": ""}',
];

describe('what the redactor takes out of a text', () => {
  for (const [before, after] of redacted) {
    test(after.slice(0, 70).replaceAll('\n', ' '), () => {
      assert.equal(redactor.text(before), after);
      assert.equal(redactor.text(after), after, 'a second time changes nothing');
    });
  }
});

describe('what the redactor leaves alone', () => {
  for (const text of kept) test(text.slice(0, 70).replaceAll('\n', ' '), () => assert.equal(redactor.text(text), text));
});

test('a command reads the same in the text that asked for it and in the arguments it ran with', () => {
  const asked = redactor.text('mytool --token abc --password=x -H "X-Api-Key: k"');
  const ran = redactor.args(['mytool', '--token', 'abc', '--password=x', '-H', 'X-Api-Key: k']);
  assert.equal(asked.replaceAll('"', ''), ran.join(' '));
});
