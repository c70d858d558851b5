import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { skipWithout } from '../backends/binaries.ts';
import { startCollector, startCollectorWith, startJaeger } from '../backends/start.ts';
import { startGrpcEndpoint, startHttpEndpoint } from '../export/otlp/fake-endpoints.ts';
import type { Scenario } from '../mock-llm/scenario.ts';
import { startMockLlm } from '../mock-llm/server.ts';
import { comparable, type OtlpDocument, readOtlp, type TraceNode } from './trace.ts';
import { agents, createWorkspace, root, type Workspace } from './workspace.ts';

const scenario: Scenario = {
  turns: [{ calls: [{ name: 'shell', arguments: { command: 'cat /etc/hostname' } }] }, { text: 'done' }],
};
const agent = ['node', join(agents, 'openai-node.mjs'), 'chat', '--stream'];

/** What the store has of a trace. */
async function readStore(workspace: Workspace, spans: readonly TraceNode[]): Promise<TraceNode[]> {
  const trace_id = spans[0]?.trace_id ?? '';
  const shown = await workspace.undersight('traces', 'show', trace_id, '--format', 'otlp-json');
  assert.equal(shown.code, 0, shown.stderr);
  return readOtlp(JSON.parse(shown.stdout) as OtlpDocument);
}

/** Asks until as many spans have arrived as were sent, or for 10 seconds. */
async function waitFor(count: number, read: () => Promise<TraceNode[]>): Promise<TraceNode[]> {
  let spans = await read();
  for (let attempt = 0; spans.length < count && attempt < 100; attempt++) {
    await sleep(100);
    spans = await read();
  }
  return spans;
}

for (const protocol of ['grpc', 'http'] as const) {
  test(`a Collector and a Jaeger receive over ${protocol} what the store has`, {
    skip: skipWithout('otelcol', 'jaeger'),
  }, async (t) => {
    const mock = await startMockLlm({ scenario });
    const workspace = createWorkspace(t, mock);
    const collector = await startCollector();
    t.after(() => collector.stop());
    const jaeger = await startJaeger();
    t.after(() => jaeger.stop());
    const type = `otlp_${protocol}`;
    const endpoint = `${protocol}_endpoint` as const;
    const config = {
      exporters: {
        [`${type}/collector`]: { endpoint: collector[endpoint] },
        [`${type}/jaeger`]: { endpoint: jaeger[endpoint] },
      },
      service: {
        pipelines: {
          traces: { receivers: ['undersight'], exporters: [`${type}/collector`, `${type}/jaeger`, 'store'] },
        },
      },
    };
    writeFileSync(workspace.path('config.yaml'), stringify(config));
    const result = await workspace.run(agent, { options: ['--config', workspace.path('config.yaml')] });
    assert.equal(result.code, 0, result.stderr);

    const stored = comparable(await readStore(workspace, result.spans));
    assert.ok(stored.length > 5);
    assert.deepEqual(comparable(result.spans), stored);
    const atCollector = await waitFor(stored.length, async () =>
      readOtlp(...(collector.readRequests() as OtlpDocument[])),
    );
    assert.deepEqual(comparable(atCollector), stored);
    const atJaeger = await waitFor(stored.length, async () => {
      const trace = await jaeger.readTrace(result.spans[0]?.trace_id ?? '');
      return trace === undefined ? [] : readOtlp(trace as OtlpDocument);
    });
    assert.deepEqual(comparable(atJaeger), stored);
  });
}

for (const protocol of ['grpc', 'http'] as const) {
  test(`otel-collector.yaml hands on to Jaeger what it gets over ${protocol}`, {
    skip: skipWithout('otelcol', 'jaeger'),
  }, async (t) => {
    const mock = await startMockLlm({ scenario });
    const workspace = createWorkspace(t, mock);
    const jaeger = await startJaeger();
    t.after(() => jaeger.stop());
    const collector = await startCollectorWith(join(root, 'otel-collector.yaml'), {
      COLLECTOR_EXPORTERS: '[otlp_grpc/jaeger]',
      JAEGER_ENDPOINT: new URL(jaeger.grpc_endpoint).host,
    });
    t.after(() => collector.stop());
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector[`${protocol}_endpoint`],
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol === 'grpc' ? 'grpc' : 'http/protobuf',
    };
    const result = await workspace.run(agent, { environment });
    assert.equal(result.code, 0, result.stderr);
    const atJaeger = await waitFor(result.spans.length, async () => {
      const trace = await jaeger.readTrace(result.spans[0]?.trace_id ?? '');
      return trace === undefined ? [] : readOtlp(trace as OtlpDocument);
    });
    assert.deepEqual(comparable(atJaeger), comparable(result.spans));
  });
}

test('otel-collector.yaml sends to Tempo, and to Datadog with its headers', {
  skip: skipWithout('otelcol'),
}, async (t) => {
  const mock = await startMockLlm({ scenario });
  const workspace = createWorkspace(t, mock);
  const tempo = await startGrpcEndpoint(t);
  const datadog = await startHttpEndpoint(t);
  const collector = await startCollectorWith(join(root, 'otel-collector.yaml'), {
    COLLECTOR_EXPORTERS: '[otlp_grpc/tempo, otlp_http/datadog]',
    TEMPO_ENDPOINT: new URL(tempo.url).host,
    DATADOG_ENDPOINT: `${datadog.url}/v1/traces`,
    DD_API_KEY: 'the-key',
  });
  t.after(() => collector.stop());
  const result = await workspace.run(agent, {
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.http_endpoint },
  });
  assert.equal(result.code, 0, result.stderr);
  for (let wait = 0; wait < 100 && (tempo.bodies.length === 0 || datadog.bodies.length === 0); wait++) await sleep(100);
  const span_ids = result.spans.map((span) => Buffer.from(span.span_id, 'hex'));
  for (const { bodies } of [tempo, datadog]) {
    const received = Buffer.concat(bodies);
    assert.deepEqual(
      span_ids.filter((id) => !received.includes(id)),
      [],
    );
  }
  assert.equal(datadog.headers[0]?.['dd-api-key'], 'the-key');
  assert.equal(datadog.headers[0]?.['dd-otlp-source'], 'llmobs');
});

test('a dead OTLP endpoint disturbs neither the agent nor the store, and is told once', async (t) => {
  const mock = await startMockLlm({ scenario });
  const workspace = createWorkspace(t, mock);
  // Port 9 (discard): nobody listens there.
  const endpoint = 'http://127.0.0.1:9';
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  const result = await workspace.run(agent, { environment });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stdout, 'done\n');
  assert.ok(result.duration_ms < 30_000, `took ${result.duration_ms} ms`);
  assert.equal(result.stderr.split('127.0.0.1:9').length - 1, 1, result.stderr);
  assert.deepEqual(comparable(await readStore(workspace, result.spans)), comparable(result.spans));
});
