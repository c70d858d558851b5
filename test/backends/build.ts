/**
 * Builds a real Collector and a real Jaeger with the ordinary `go` command, where they are missing.
 *
 *   node test/backends/build.ts [otelcol] [jaeger]
 *
 * Needs Go 1.25 or newer and about 10 minutes; with Go's build cache in place, seconds. The tests' programs end up in
 * `binaries.ts`'s folder. UNDERSIGHT_BACKENDS_JOBS (2): build parallelism.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BackendName, cache_folder, findBackend } from './binaries.ts';

const COLLECTOR_BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.160.0';
const JAEGER_MODULE = 'github.com/jaegertracing/jaeger';
const JAEGER_VERSION = 'v1.76.0'; // Jaeger 2.13: the module kept counting from 1
const jobs = process.env.UNDERSIGHT_BACKENDS_JOBS ?? '2';
const builders: Readonly<Record<BackendName, (folder: string, output: string) => void>> = {
  otelcol: buildCollector,
  jaeger: buildJaeger,
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(builders);
for (const name of wanted) {
  const build = builders[name as BackendName];
  if (build === undefined) throw new Error(`unknown backend ${name}: ${Object.keys(builders).join(', ')}`);
  const present = findBackend(name as BackendName);
  if (present !== undefined) {
    console.log(`backends: ${name} is there: ${present}`);
    continue;
  }
  const folder = join(cache_folder, `${name}-build`);
  const began_ms = Date.now();
  console.log(`backends: building ${name} in ${folder}`);
  mkdirSync(folder, { recursive: true });
  build(folder, join(cache_folder, name));
  console.log(`backends: ${name} built in ${Math.round((Date.now() - began_ms) / 1000)} s`);
}

function buildCollector(folder: string, output: string): void {
  rmSync(join(folder, 'build'), { recursive: true, force: true });
  copyFileSync(join(import.meta.dirname, 'otelcol-builder.yaml'), join(folder, 'otelcol-builder.yaml'));
  go(folder, ['install', '-p', jobs, COLLECTOR_BUILDER], { GOBIN: folder });
  try {
    const flags = ['--config', 'otelcol-builder.yaml', '--skip-compilation'];
    execFileSync(join(folder, 'builder'), flags, { cwd: folder, stdio: 'pipe' });
  } catch (error) {
    // Its last step, `go mod tidy`, also asks for modules that only tests of other modules need, and fails where a
    // proxy lacks one of them. By then it has written all that the build needs.
    if (!existsSync(join(folder, 'build/main.go'))) throw error;
  }
  goBuild(join(folder, 'build'), output, '.');
}

function buildJaeger(folder: string, output: string): void {
  // `go install module@version` refuses a go.mod with replace directives, which only count in the main module.
  if (!existsSync(join(folder, 'go.mod'))) writeFileSync(join(folder, 'go.mod'), 'module local/jaeger\n');
  const download = go(folder, ['mod', 'download', '-json', `${JAEGER_MODULE}@${JAEGER_VERSION}`]);
  const { Dir } = JSON.parse(download) as { Dir: string };
  const lines = readFileSync(join(Dir, 'go.mod'), 'utf8').split('\n');
  const kept = lines.filter((line) => /^(go|replace) /.test(line));
  writeFileSync(
    join(folder, 'go.mod'),
    `module local/jaeger\nrequire ${JAEGER_MODULE} ${JAEGER_VERSION}\n${kept.join('\n')}\n`,
  );
  writeFileSync(join(folder, 'go.sum'), readFileSync(join(Dir, 'go.sum')));
  goBuild(folder, output, `${JAEGER_MODULE}/cmd/jaeger`);
}

function goBuild(folder: string, output: string, target: string): void {
  const flags = ['-mod=mod', '-p', jobs, '-buildvcs=false', '-trimpath', '-ldflags=-s -w'];
  go(folder, ['build', ...flags, '-o', output, target], { CGO_ENABLED: '0' });
}

function go(folder: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): string {
  try {
    return execFileSync('go', args, {
      cwd: folder,
      env: { ...process.env, GOMAXPROCS: jobs, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('Go is missing: install Go 1.25 or newer from https://go.dev/dl', { cause: error });
  }
}
