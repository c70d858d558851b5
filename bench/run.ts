/** Runs a benchmark: `npm run bench -- NAME`. Its last line is one JSON object. */
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';

const names = globSync('*.ts', { cwd: import.meta.dirname })
  .map((file) => basename(file, '.ts'))
  .filter((name) => name !== 'run' && name !== 'figures')
  .sort();
const [name = ''] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`which benchmark? ${names.join(', ')}`);
  process.exit(2);
}
await import(join(import.meta.dirname, `${name}.ts`));
