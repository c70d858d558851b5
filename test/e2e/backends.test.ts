import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { findBackend, skipWithout } from '../backends/binaries.ts';
import { startCollector, startJaeger } from '../backends/start.ts';
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

test('otel-collector.yaml is a configuration that a Collector takes', { skip: skipWithout('otelcol') }, async (t) => {
  const workspace = createWorkspace(t, undefined);
  const program = findBackend('otelcol') ?? '';
  const result = await workspace.command([program, 'validate', '--config', join(root, 'otel-collector.yaml')]);
  assert.equal(result.code, 0, result.stderr);
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
