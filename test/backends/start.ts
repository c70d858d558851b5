import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { type BackendName, findBackend } from './binaries.ts';

export interface Backend {
  /** `http://127.0.0.1:PORT`, for OTLP over gRPC. */
  readonly grpc_endpoint: string;
  /** `http://127.0.0.1:PORT`, for OTLP over HTTP. */
  readonly http_endpoint: string;
  stop(): Promise<void>;
}

export interface Collector extends Backend {
  /** Every export request received so far, as OTLP JSON. */
  readRequests(): object[];
}

export interface Jaeger extends Backend {
  /** A trace as OTLP JSON, undefined while it is unknown. */
  readTrace(trace_id: string): Promise<object | undefined>;
}

/** Starts a Collector on free ports that writes what it receives to a file. */
export async function startCollector(): Promise<Collector> {
  const [grpc, http, health] = await freePorts(3);
  const folder = mkdtempSync(join(tmpdir(), 'otelcol-'));
  const output = join(folder, 'requests.jsonl');
  const backend = await start('otelcol', folder, `http://127.0.0.1:${health}`, {
    receivers: { otlp: otlpReceiver(grpc, http) },
    exporters: { file: { path: output, flush_interval: '50ms' } },
    extensions: { health_check: { endpoint: `127.0.0.1:${health}` } },
    service: {
      extensions: ['health_check'],
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: ['otlp'], exporters: ['file'] } },
    },
  });
  return {
    ...backend,
    ...endpoints(grpc, http),
    readRequests() {
      if (!existsSync(output)) return [];
      const lines = readFileSync(output, 'utf8').split('\n');
      return lines.slice(0, -1).map((line) => JSON.parse(line));
    },
  };
}

/**
 * Starts a Collector with a configuration of the user's, on free ports; `env` says to which exporters it hands on. The file has no
 * health check: it is up when its OTLP port answers.
 */
export async function startCollectorWith(config_path: string, env: Readonly<Record<string, string>>): Promise<Backend> {
  const [grpc, http] = await freePorts(2);
  const folder = mkdtempSync(join(tmpdir(), 'otelcol-'));
  const ports = { OTLP_GRPC_ENDPOINT: `127.0.0.1:${grpc}`, OTLP_HTTP_ENDPOINT: `127.0.0.1:${http}` };
  const backend = await launch('otelcol', folder, { config_path, env: { ...ports, ...env } }, () =>
    fetch(`http://127.0.0.1:${http}/`).then(() => true),
  );
  return { ...backend, ...endpoints(grpc, http) };
}

/** Starts a Jaeger on free ports that keeps traces in memory. */
export async function startJaeger(): Promise<Jaeger> {
  const [grpc, http, health, query, queryGrpc] = await freePorts(5);
  const folder = mkdtempSync(join(tmpdir(), 'jaeger-'));
  const backend = await start('jaeger', folder, `http://127.0.0.1:${health}/status`, {
    receivers: { otlp: otlpReceiver(grpc, http) },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
    extensions: {
      healthcheckv2: { use_v2: true, http: { endpoint: `127.0.0.1:${health}` } },
      jaeger_storage: { backends: { memory: { memory: { max_traces: 1000 } } } },
      jaeger_query: {
        storage: { traces: 'memory' },
        http: { endpoint: `127.0.0.1:${query}` },
        grpc: { endpoint: `127.0.0.1:${queryGrpc}` },
      },
    },
    service: {
      extensions: ['jaeger_storage', 'jaeger_query', 'healthcheckv2'],
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
      pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
    },
  });
  return {
    ...backend,
    ...endpoints(grpc, http),
    async readTrace(trace_id) {
      const response = await fetch(`http://127.0.0.1:${query}/api/v3/traces/${trace_id}`);
      if (!response.ok) return undefined;
      return ((await response.json()) as { result: object }).result;
    },
  };
}

function otlpReceiver(grpc: number | undefined, http: number | undefined): object {
  const largest_mib = 64;
  return {
    protocols: {
      grpc: { endpoint: `127.0.0.1:${grpc}`, max_recv_msg_size_mib: largest_mib },
      http: { endpoint: `127.0.0.1:${http}`, max_request_body_size: largest_mib * 1024 * 1024 },
    },
  };
}

function endpoints(grpc: number | undefined, http: number | undefined) {
  return { grpc_endpoint: `http://127.0.0.1:${grpc}`, http_endpoint: `http://127.0.0.1:${http}` };
}

function start(name: BackendName, folder: string, health_url: string, config: object): Promise<Pick<Backend, 'stop'>> {
  const config_path = join(folder, 'config.yaml');
  writeFileSync(config_path, stringify(config));
  return launch(name, folder, { config_path, env: {} }, () => fetch(health_url).then((response) => response.ok));
}

/** `folder` is removed when it is stopped. */
async function launch(
  name: BackendName,
  folder: string,
  { config_path, env }: { readonly config_path: string; readonly env: Readonly<Record<string, string>> },
  isUp: () => Promise<boolean>,
): Promise<Pick<Backend, 'stop'>> {
  const program = findBackend(name);
  if (program === undefined) throw new Error(`${name} is not there`);
  const child = spawn(program, ['--config', config_path], {
    // Otherwise Jaeger sends traces of its own API to the default OTLP port.
    env: { ...process.env, OTEL_TRACES_SAMPLER: 'always_off', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (text) => {
    log = (log + text).slice(-4000);
  });
  child.stdout.resume();
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill();
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  for (const deadline_ms = Date.now() + 30_000; Date.now() < deadline_ms; await sleep(100)) {
    if (child.exitCode !== null) break;
    if (await isUp().catch(() => false)) return { stop };
  }
  await stop();
  throw new Error(`${name} did not start:\n${log}`);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = servers.map(async (server) => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  });
  const found = await Promise.all(ports);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return found;
}
