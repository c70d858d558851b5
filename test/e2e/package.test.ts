import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { startGrpcEndpoint, startHttpEndpoint } from '../export/otlp/fake-endpoints.ts';
import { root } from './workspace.ts';

test('the packed package installs elsewhere and runs there, with all of its exporters', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'undersight-package-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const run = (cwd: string, program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

  run(root, 'npm', 'pack', '--silent', '--pack-destination', folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  run(folder, 'npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefix', folder, join(folder, tarball));
  const program = join(folder, 'node_modules/.bin/undersight');
  assert.match(run(folder, program, '--help'), /undersight run/);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.match(run(folder, program, '--version'), new RegExp(version.replaceAll('.', '\\.')));
  for (const file of ['LICENSE', 'LICENSES/GPL-2.0-only.txt', 'README.md', 'SECURITY.md']) {
    assert.ok(readFileSync(join(folder, 'node_modules/undersight', file)).length > 0, file);
  }

  const grpc = await startGrpcEndpoint(t);
  const http = await startHttpEndpoint(t);
  const config = {
    exporters: {
      otlp_grpc: { endpoint: grpc.url },
      otlp_http: { endpoint: http.url },
      store: { path: join(folder, 'traces.db') },
    },
    service: { pipelines: { traces: { receivers: ['undersight'], exporters: ['otlp_grpc', 'otlp_http', 'store'] } } },
  };
  const config_path = join(folder, 'config.yaml');
  writeFileSync(config_path, stringify(config));
  const options = ['--config', config_path, '--format', 'json'];
  // The endpoints are in this process: it must not be blocked meanwhile.
  const { stdout, stderr } = await promisify(execFile)(program, ['run', ...options, '--', '/usr/bin/true'], {
    cwd: folder,
  });
  assert.match(stdout, /"true"/, stderr);
  assert.equal(stderr, '');
  assert.ok(Buffer.concat(grpc.bodies).includes('/usr/bin/true'));
  assert.ok(Buffer.concat(http.bodies).includes('/usr/bin/true'));
  const shown = run(folder, program, 'traces', 'show', 'latest', '--config', config_path, '--format', 'otlp-json');
  assert.match(shown, /\/usr\/bin\/true/);
});
