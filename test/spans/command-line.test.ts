import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutContent } from '../../src/spans/command-line.ts';

const kept: readonly (readonly string[])[] = [
  ['node', 'check-service.mjs', 'orders.json'],
  ['/bin/sh', '-c', 'id'],
  ['grep', '-e', 'needle', '-rn', 'src'],
  ['mkdir', '-p', 'a/b/c'],
  ['ssh', '-p', '2222', 'host'],
  ['cp', 'a file.txt', 'another file.txt'],
  ['curl', '--max-time', '3', 'https://example.com/?q=1'],
];
for (const args of kept) {
  test(`${args.join(' ')} is shown whole`, () => assert.equal(withoutContent(args), args));
}

const hidden: readonly (readonly [args: readonly string[], shown: readonly string[]])[] = [
  [
    ['bash', '-lc', 'cat x | wc'],
    ['bash', '-lc', '[content: 10 chars]'],
  ],
  [
    ['python3', '-c', 'print(1)'],
    ['python3', '-c', '[content: 8 chars]'],
  ],
  [
    ['node', '--eval=1; 2'],
    ['node', '--eval=[content: 4 chars]'],
  ],
  [
    ['claude', '-p', 'fix the failing test'],
    ['claude', '-p', '[content: 20 chars]'],
  ],
  [
    ['codex', 'exec', 'rename every variable please'],
    ['codex', 'exec', '[content: 28 chars]'],
  ],
  [
    ['git', 'commit', '-m', 'secret plan'],
    ['git', 'commit', '-m', '[content: 11 chars]'],
  ],
  [
    ['awk', 'a\nb'],
    ['awk', '[content: 3 chars]'],
  ],
  [
    ['tool', 'x'.repeat(300)],
    ['tool', '[content: 300 chars]'],
  ],
];
for (const [args, shown] of hidden) {
  test(`${args.slice(0, 2).join(' ').slice(0, 30)} ... hides what is a script or a prompt`, () => {
    assert.deepEqual(withoutContent(args), shown);
  });
}
