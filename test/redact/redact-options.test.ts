import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redactOptionsSchema } from '../../src/redact/redact-options.ts';
import { createRedactor } from '../../src/redact/redactor.ts';

const parse = (pattern: string) => redactOptionsSchema.safeParse({ patterns: [{ name: 'mine', pattern }] });

describe("a user's own patterns", () => {
  test('what they match is taken out under their name', () => {
    const redactor = createRedactor(redactOptionsSchema.parse({ patterns: [{ name: 'badge', pattern: 'B-\\d{4}' }] }));
    assert.equal(redactor.text('see B-1234 there'), 'see [REDACTED:badge] there');
    assert.equal(redactor.text(`${'word '.repeat(5000)}B-1234`).endsWith('[REDACTED:badge]'), true);
  });

  test('a pattern that matches everything ends, and does not redact its own token again', () => {
    const redactor = createRedactor(redactOptionsSchema.parse({ patterns: [{ name: 'all', pattern: '.+' }] }));
    const once = redactor.text('some text\nand more');
    assert.equal(once, '[REDACTED:all]\n[REDACTED:all]');
    assert.equal(redactor.text(once), once);
  });

  for (const [pattern, message] of [
    ['(', /not a regular expression/],
    ['a*', /matches the empty text/],
    ['(a+)+b', /forever/],
    ['((a|b)*c)*d', /forever/],
    ['(?:x{2,})+', /forever/],
  ] as const) {
    test(`${pattern} is refused`, () => {
      const result = parse(pattern);
      assert.equal(result.success, false);
      assert.match(result.error.issues.map((issue) => issue.message).join(), message);
    });
  }

  for (const pattern of ['(foo|bar)+x', '[(+]+\\)+', 'a{3}(b+c)?', '\\(a+\\)+']) {
    test(`${pattern} is taken`, () => assert.equal(parse(pattern).success, true));
  }

  test('names and unknown keys are checked', () => {
    assert.equal(redactOptionsSchema.safeParse({ patterns: [{ name: 'A b', pattern: 'x' }] }).success, false);
    assert.equal(redactOptionsSchema.safeParse({ pattern: [] }).success, false);
  });
});
