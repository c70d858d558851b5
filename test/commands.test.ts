import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = dirname(import.meta.dirname);
const read = (file: string) => readFileSync(join(root, file), 'utf8');

test('every command of npm that we name is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
  const files = globSync(
    ['src/**/*.ts', 'bpf/*.ts', 'examples/**/*.ts', 'docs/**/*.md', '*.md', 'setup.sh', '.ci/run'],
    {
      cwd: root,
    },
  );
  const unknown = files.flatMap((file) =>
    [...read(file).matchAll(/\bnpm (?:run (?:--silent )?([\w:-]+)|(test|start)\b)/g)]
      .map(([, script, short]) => script ?? short ?? '')
      .filter((script) => !Object.hasOwn(scripts, script))
      .map((script) => `${file}: npm run ${script}`),
  );
  assert.ok(files.includes('README.md'));
  assert.deepEqual(unknown, []);
});
