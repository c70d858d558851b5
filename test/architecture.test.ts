import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';

const root = dirname(import.meta.dirname);
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const sources = globSync('src/**/*.ts', { cwd: root }).sort();
const written = sources.filter((file) => !file.endsWith('.gen.ts'));

/** What each part of src/ may import besides itself and the leaves. A part is a folder. */
const leaves = ['model', 'stage.ts', 'redact', 'health', 'spans/semconv.gen.ts'];
const everything = ['*'];
const allowed: Readonly<Record<string, readonly string[]>> = {
  model: [],
  'stage.ts': [],
  redact: [],
  health: [],
  protocol: [],
  providers: ['protocol'],
  exchange: ['protocol', 'providers'],
  kernel: [],
  targets: [],
  order: [],
  correlate: [],
  spans: [],
  export: [],
  config: ['export', 'correlate', 'exchange', 'order', 'spans', 'targets', 'kernel'],
  // The files right below src/ wire the parts together.
  wiring: everything,
  cli: everything,
};
const mayTouchFfi = ['kernel'];
const mayDoIo = ['kernel', 'targets', 'export', 'config', 'cli', 'wiring'];
const ioModules = /^node:(fs|net|http|https|http2|tls|dgram|dns|child_process|worker_threads|sqlite|os|readline)(\/|$)/;

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

/** Every static and dynamic import of a file, relative ones as paths from src/. */
function importsOf(file: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean) => {
    const target = specifier.startsWith('.')
      ? posix.relative('src', posix.join(posix.dirname(file), specifier))
      : specifier;
    found.push({ file, target, typeOnly });
  };
  const visit = (node: ts.Node) => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node.moduleSpecifier.text, node.importClause?.isTypeOnly === true);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node.moduleSpecifier.text, node.isTypeOnly);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteral(argument)) add(argument.text, false);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest));
  return found;
}

const partOf = (path: string) => (path.includes('/') || path === 'stage.ts' ? (path.split('/')[0] ?? path) : 'wiring');
const isLeaf = (path: string) => leaves.some((leaf) => path === leaf || path.startsWith(`${leaf}/`));
const isOurs = (target: string) => target.endsWith('.ts');

test('every import follows the import rule', () => {
  const broken: string[] = [];
  for (const { file, target } of sources.flatMap(importsOf).filter((edge) => isOurs(edge.target))) {
    const from = partOf(posix.relative('src', file));
    const to = partOf(target);
    const rule = allowed[from];
    if (rule === undefined) broken.push(`${file}: ${from} is not a known part of src/`);
    else if (target.startsWith('..')) broken.push(`${file} imports ${target}, outside src/`);
    else if (to === 'cli' && from !== 'cli') broken.push(`${file} imports ${target}: nobody imports cli`);
    else if (from !== to && !isLeaf(target) && rule !== everything && !rule.includes(to)) {
      broken.push(`${file} imports ${target}: ${from} may import ${[...rule, 'leaves'].join(', ')}`);
    }
  }
  assert.deepEqual(broken, []);
});

test('only the parts that face the outside do input and output', () => {
  const broken: string[] = [];
  for (const { file, target, typeOnly } of sources.flatMap(importsOf)) {
    const from = partOf(posix.relative('src', file));
    if (target === 'koffi' && !mayTouchFfi.includes(from)) broken.push(`${file} imports koffi`);
    if (ioModules.test(target) && !typeOnly && !mayDoIo.includes(from)) broken.push(`${file} imports ${target}`);
  }
  assert.deepEqual(broken, []);
});

test('files stay short enough to read in one go', () => {
  const files = [
    ...written,
    ...globSync(['test/**/*.ts', 'bpf/*.{ts,c,h}', 'semconv/*.ts', 'examples/**/*.ts'], { cwd: root }),
  ];
  const lengths = files.map((file) => ({ file, lines: read(file).split('\n').length - 1 }));
  assert.deepEqual(
    lengths.filter(({ lines }) => lines > 300).map(({ file, lines }) => `${file}: ${lines} lines`),
    [],
  );
  const sorted = lengths
    .filter(({ file }) => file.startsWith('src/'))
    .map(({ lines }) => lines)
    .sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  assert.ok(median < 120, `the median file of src/ has ${median} lines`);
});

test('files and folders are named for what they hold', () => {
  const vague = /(^|\/)(utils?|helpers?|manager|common|misc|shared|types|index|lib)(\.|\/|$)/;
  assert.deepEqual(
    sources.filter((file) => vague.test(file)),
    [],
  );
  assert.deepEqual(
    sources.filter((file) => !/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(posix.basename(file))),
    [],
  );
});

test('numbers that measure something carry their unit', () => {
  const bare =
    /\b(\w*(?:timeout|duration|delay|interval|latency|elapsed|age|_size|rtt|period|deadline))\??: (?:number|bigint)\b/gi;
  // Options are written with their unit (`30s`), so their names need none.
  const options = written.flatMap((file) =>
    [...read(file).matchAll(/(\w+): (?:durationSchema|byteSizeSchema)/g)].map(([, name]) => name),
  );
  const broken = written.flatMap((file) =>
    [...read(file).matchAll(bare)].filter(([, name]) => !options.includes(name)).map(([, name]) => `${file}: ${name}`),
  );
  assert.deepEqual(broken, []);
});

test('nothing unfinished is left in the sources', () => {
  const marks = /\b(TODO|FIXME|XXX|HACK)\b|@ts-(ignore|nocheck)/;
  const files = [...written, ...globSync('bpf/*.{ts,c,h}', { cwd: root })];
  const broken = files.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (marks.test(line) ? [`${file}:${index + 1}`] : [])),
  );
  assert.deepEqual(broken, []);
});
