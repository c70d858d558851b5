import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ExporterConfig } from '../../src/config/components.ts';
import { configToYaml } from '../../src/config/describe-config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { ConfigError, formatProblem } from '../../src/config/problem.ts';

const directory = mkdtempSync(join(tmpdir(), 'undersight-config-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

function file(text: string): string {
  const path = join(directory, `${++files}.yaml`);
  writeFileSync(path, text);
  return path;
}

function load(texts: readonly string[] = [], sets: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  return loadConfig({ files: texts.map(file), sets, env });
}

/** The problems of a configuration, the file's name left out. */
function problems(texts: readonly string[], sets: readonly string[] = [], env: NodeJS.ProcessEnv = {}): string[] {
  try {
    load(texts, sets, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map((problem) => formatProblem(problem).replace(`${directory}/${files}.yaml:`, ''));
  }
  return [];
}

function optionsOf<T extends ExporterConfig['type']>(config: ReturnType<typeof load>, type: T) {
  const found = config.exporters.find((exporter) => exporter.type === type);
  assert.ok(found);
  return found.options as Extract<ExporterConfig, { type: T }>['options'];
}

const ids = (config: ReturnType<typeof load>) => config.exporters.map(({ id }) => id);

test('with no file there are good defaults: a tree on the console, and the store', () => {
  const config = load();
  assert.deepEqual(ids(config), ['console', 'store']);
  assert.equal(config.receiver.ring_bytes, 64 * 2 ** 20);
  assert.deepEqual(config.receiver.targets, { catalogue: true, known_builds: [], traffic: true, rules: [] });
  assert.equal(optionsOf(config, 'store').max_age, 30n * 86_400_000_000_000n);
  assert.deepEqual(config.warnings, []);
});

test('an OTLP endpoint in the environment adds an exporter of the protocol it names', () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317' };
  assert.deepEqual(ids(load([], [], env)), ['console', 'store', 'otlp_http']);
  assert.deepEqual(ids(load([], [], { ...env, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })), [
    'console',
    'store',
    'otlp_grpc',
  ]);
  assert.deepEqual(ids(load([], [], { ...env, OTEL_TRACES_EXPORTER: 'none' })), ['console', 'store']);
  assert.deepEqual(problems([], [], { ...env, OTEL_EXPORTER_OTLP_PROTOCOL: 'grcp' }), [
    'environment: OTEL_EXPORTER_OTLP_PROTOCOL: unknown protocol "grcp"; did you mean grpc? (allowed: grpc, http/protobuf, http/json)',
  ]);
});

test('the pipeline says which exporters run, and in which order', () => {
  const text = `
exporters:
  store/two: {path: /tmp/two.db, max_age: 1h30m, max_bytes: 2GiB}
  store: {path: /tmp/one.db}
service: {pipelines: {traces: {exporters: [store/two, console]}}}`;
  const config = load([text]);
  assert.deepEqual(ids(config), ['store/two', 'console']);
  assert.deepEqual(optionsOf(config, 'store'), {
    path: '/tmp/two.db',
    max_age: 5_400_000_000_000n,
    max_bytes: 2 * 2 ** 30,
  });
  assert.deepEqual(config.warnings, ['store is configured, but service.pipelines.traces does not name it']);
});

test('what is configured runs although no pipeline is written', () => {
  assert.deepEqual(ids(load([], ['exporters.store/b.path=/tmp/b.db'])), ['console', 'store', 'store/b']);
});

test('later files win over earlier ones key by key, and --set wins over files; lists are replaced', () => {
  const first =
    'exporters: {store: {path: /a, max_age: 1h, max_bytes: 1MiB}}\nreceivers: {undersight: {exclude: {users: [a, b]}}}';
  const second = 'exporters: {store: {max_age: 2h}, console: }\nreceivers: {undersight: {exclude: {users: [c]}}}';
  const config = load([first, second, 'exporters: {store: }'], ['exporters.store.max_bytes=2MiB']);
  assert.deepEqual(optionsOf(config, 'store'), { path: '/a', max_age: 7_200_000_000_000n, max_bytes: 2 ** 21 });
  assert.deepEqual(config.receiver.exclude.users, ['c']);
});

test('variables are put in, with defaults, and are not expanded again', () => {
  const text = `
receivers:
  undersight:
    ring_bytes: \${env:RING:-8KiB}
    targets: {traffic: "\${TRAFFIC}"}
    exclude: {users: "\${env:USERS}", paths: ["\${HOME_DIR}/x/$$y", '\${env:EMPTY:-/d}']}
exporters: {store: {path: "\${env:NUMBER}"}}`;
  const env = { TRAFFIC: 'false', USERS: '[root, 1000]', HOME_DIR: `/h\${env:RING}`, EMPTY: '', NUMBER: '123' };
  const config = load([text], [], env);
  const { receiver } = config;
  assert.equal(receiver.ring_bytes, 8192);
  assert.equal(receiver.targets.traffic, false);
  assert.deepEqual(receiver.exclude, { users: ['root', 1000], paths: [`/h\${env:RING}/x/$y`, '/d'] });
  assert.equal(optionsOf(config, 'store').path, '123');
});

test('the effective configuration reads back as itself, and hides the values of headers', () => {
  const config = load(['exporters: {store: {path: /x, max_age: 36h}}'], ['receivers.undersight.ring_bytes=1MiB']);
  assert.deepEqual(load([configToYaml(config, {})]), config);
});

const refused: readonly (readonly [what: string, text: string, ...expected: string[]])[] = [
  [
    'an unknown section',
    'recievers: {}\nextensions: {}',
    '1:1: recievers: unknown section; did you mean receivers? (allowed: receivers, processors, exporters, service)',
    '2:1: extensions: unknown section; allowed: receivers, processors, exporters, service',
  ],
  [
    'an unknown exporter',
    'exporters:\n  otlpgrpc:\n    endpoint: x',
    '2:3: exporters.otlpgrpc: unknown type otlpgrpc; did you mean otlp_grpc? (allowed: otlp_grpc, otlp_http, console, store)',
  ],
  [
    'an unknown key',
    'exporters:\n  store/a:\n    max_aeg: 3d',
    '3:5: exporters.store/a.max_aeg: unknown key; did you mean max_age? (allowed: path, max_age, max_bytes)',
  ],
  [
    'an unknown key in a list',
    'receivers:\n  undersight:\n    targets:\n      rules:\n        - {name: a, executable: /a, args: x}',
    '5:37: receivers.undersight.targets.rules.0.args: unknown key; allowed: name, executable, argument',
  ],
  [
    'a duration without a unit',
    'exporters: {store: {max_age: 30}}',
    '1:30: exporters.store.max_age: expected a duration such as 500ms, 30s, 1h30m or 7d; got 30',
  ],
  [
    'a wrong size',
    'exporters: {store: {max_bytes: 2Gigs}}',
    '1:32: exporters.store.max_bytes: expected a size such as 4096, 512KiB, 64MiB or 2GiB; got "2Gigs"',
  ],
  [
    'a size out of range',
    'receivers: {undersight: {ring_bytes: 5MiB}}',
    '1:38: receivers.undersight.ring_bytes: expected a power of two between 8KiB and 1GiB; got "5MiB"',
  ],
  [
    'a glob that no absolute path can match',
    'receivers:\n  undersight:\n    exclude:\n      paths: [/a/*, "**", "**/b", c/**]',
    '4:35: receivers.undersight.exclude.paths.3: expected a glob of absolute paths, which begins with / or **/; got "c/**"',
  ],
  [
    'a store that would hold nothing',
    'exporters: {store: {max_age: 0s, max_bytes: 1}}',
    '1:30: exporters.store.max_age: expected 1m or more; got "0s"',
    '1:45: exporters.store.max_bytes: expected 1MiB or more; got 1',
  ],
  [
    'an OTLP endpoint of another protocol',
    'exporters: {otlp_grpc: {endpoint: "ftp://x"}}',
    '1:35: exporters.otlp_grpc.endpoint: expected an address such as 127.0.0.1:4317 or http://127.0.0.1:4317; got "ftp://x"',
  ],
  [
    'a wrong type',
    'receivers: {undersight: {targets: {traffic: yes, rules: 3}}}',
    '1:45: receivers.undersight.targets.traffic: expected true or false; got "yes"',
    '1:57: receivers.undersight.targets.rules: expected a list; got 3',
  ],
  [
    'what is missing',
    'receivers:\n  undersight:\n    targets:\n      rules:\n        - executable: /a',
    '5:11: receivers.undersight.targets.rules.0.name: is missing; expected a text',
  ],
  ['components that are no map', 'exporters: [store]', '1:12: exporters: expected a map of components'],
  ['options that are no map', 'exporters: {store: 3}', '1:20: exporters.store: expected a map; got 3'],
  ['a file that is no map', '- a', '1:1: expected a map with receivers, processors, exporters, service'],
  [
    'a pipeline that names what is not there',
    'service: {pipelines: {traces: {exporters: [stor, otlp_grpc/x, console, console]}}}',
    '1:44: service.pipelines.traces.exporters.0: stor is not configured; did you mean store? (allowed: otlp_grpc, otlp_http, console, store)',
    '1:50: service.pipelines.traces.exporters.1: otlp_grpc/x is not configured; did you mean otlp_grpc? (allowed: otlp_grpc, otlp_http, console, store)',
    '1:72: service.pipelines.traces.exporters.3: console is named twice',
    '1:43: service.pipelines.traces.exporters: expected one console exporter',
  ],
  [
    'a pipeline of another signal',
    'service: {pipelines: {metrics: {}}}',
    '1:23: service.pipelines.metrics: unknown key; allowed: traces',
  ],
  [
    'processors in another order',
    'service: {pipelines: {traces: {processors: [spans, redact]}}}',
    '1:44: service.pipelines.traces.processors: processors run in the order exchange, redact, correlate, spans; name them so',
  ],
  [
    'two receivers',
    'receivers: {undersight: {}, undersight/b: {}}',
    '1:1: service.pipelines.traces.receivers: expected one receiver; got undersight, undersight/b',
  ],
  ['a key written twice', 'exporters:\n  store: {}\n  store: {}', '3:3: map keys must be unique'],
  [
    'broken YAML',
    'exporters: {store: {',
    '1:21: flow map in block collection must be sufficiently indented and end with a }',
  ],
  [
    'a variable that is not set',
    `exporters:\n  store:\n    path: /x/\${env:NOWHERE}/y`,
    `3:11: exporters.store.path: the variable NOWHERE is not set; give a default: \${env:NOWHERE:-value}`,
  ],
  [
    'names that would reach into a prototype',
    'exporters: {store: {__proto__: {path: /x}}, __proto__: {}}',
    '1:21: exporters.store.__proto__: unknown key; allowed: path, max_age, max_bytes',
    '1:45: exporters.__proto__: unknown type __proto__; allowed: otlp_grpc, otlp_http, console, store',
  ],
];

for (const [what, text, ...expected] of refused) {
  test(`${what} is refused with its place and what is allowed`, () => {
    assert.deepEqual(problems([text]).sort(), expected.sort());
  });
}

test('an endpoint in the environment that is none is refused with the variable', () => {
  assert.deepEqual(problems([], [], { OTEL_EXPORTER_OTLP_ENDPOINT: 'garbage' }), [
    'environment: OTEL_EXPORTER_OTLP_ENDPOINT: "garbage" is no OTLP endpoint. Give one like http://localhost:4318.',
  ]);
  const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'ftp://x', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  assert.deepEqual(problems([], [], env), [
    'environment: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "ftp://x" is no OTLP endpoint. Give one like localhost:4317.',
  ]);
});

test('the effective configuration has what the environment says, and no password', () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://me:secret@host:1', UNDERSIGHT_STORE: '/x/traces.db' };
  const http = configToYaml(load([], [], env), env);
  assert.match(http, /\n {4}path: \/x\/traces\.db\n/);
  assert.match(http, /\n {4}traces_endpoint: http:\/\/host:1\/v1\/traces\n/);
  const grpc = { ...env, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  assert.match(configToYaml(load([], [], grpc), grpc), /\n {4}endpoint: http:\/\/host:1\n/);
});

test('a wrong --set is refused with the option', () => {
  assert.deepEqual(problems([], ['exporters.store.max_age=soon']), [
    '--set exporters.store.max_age=soon: exporters.store.max_age: expected a duration such as 500ms, 30s, 1h30m or 7d; got "soon"',
  ]);
  assert.deepEqual(problems([], ['nonsense']), ['--set nonsense: expected key=value, e.g. exporters.store.max_age=7d']);
});

test('a file that cannot be read is refused', () => {
  const read = (path: string) => () => loadConfig({ files: [path], sets: [], env: {} });
  assert.throws(read('/nowhere.yaml'), /\/nowhere.yaml: cannot be read: there is no such file/);
  assert.throws(read(directory), /: cannot be read: it is a directory/);
});

test('a small file that aliases make large is refused', () => {
  const levels = Array.from({ length: 12 }, (_, level) =>
    level === 0
      ? 'a0: &a0 [x, x, x, x, x, x]'
      : `a${level}: &a${level} [${Array(6)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
  );
  assert.match(problems([levels.join('\n')])[0] ?? '', /the configuration is too large here/);
});
