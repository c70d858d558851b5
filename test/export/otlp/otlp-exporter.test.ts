import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { otlpGrpcOptionsSchema, otlpHttpOptionsSchema } from '../../../src/export/otlp/options.ts';
import { createOtlpExporter } from '../../../src/export/otlp/otlp-exporter.ts';
import { createCounters } from '../../../src/health/counters.ts';
import type { Span } from '../../../src/model/span.ts';
import { hexId, sampleSpan } from '../store/sample-spans.ts';
import { type FakeEndpoint, startGrpcEndpoint, startHttpEndpoint } from './fake-endpoints.ts';

/** gRPC status codes. */
const INVALID_ARGUMENT = 3;
const UNAVAILABLE = 14;
/** Nobody listens on the discard port. */
const DEAD = 'http://127.0.0.1:9';

const protocols = {
  http: { start: startHttpEndpoint, busy: 503, refused: 400 },
  grpc: { start: startGrpcEndpoint, busy: UNAVAILABLE, refused: INVALID_ARGUMENT },
} as const;

function createExporter(protocol: 'http' | 'grpc', endpoint: string, options: object = {}, env = {}) {
  const counters = createCounters();
  const warnings: string[] = [];
  const around = { counters, env, warn: (message: string) => void warnings.push(message) };
  const retry_on_failure = { initial_interval: '20ms', max_interval: '50ms' };
  const given = { endpoint, retry_on_failure, ...options };
  const exporter =
    protocol === 'http'
      ? createOtlpExporter({ type: 'otlp_http', options: otlpHttpOptionsSchema.parse(given) }, around)
      : createOtlpExporter({ type: 'otlp_grpc', options: otlpGrpcOptionsSchema.parse(given) }, around);
  return { exporter, warnings, counts: () => Object.fromEntries(counters.entries()) };
}

function spans(count: number, part: Partial<Span> = {}): Span[] {
  return Array.from({ length: count }, (_, index) => sampleSpan({ span_id: hexId(index + 1, 16), ...part }));
}

async function untilRequests(endpoint: FakeEndpoint, count: number): Promise<void> {
  while (endpoint.bodies.length < count) await sleep(5);
}

for (const [name, { start, busy, refused }] of Object.entries(protocols)) {
  const protocol = name as 'http' | 'grpc';
  const begin = async (t: TestContext, reactions: readonly (number | 'hang')[], options: object = {}) => {
    const endpoint = await start(t, reactions);
    return { endpoint, ...createExporter(protocol, endpoint.url, options) };
  };

  test(`${name}: what was pushed has arrived when close is done`, async (t) => {
    const { exporter, endpoint, counts, warnings } = await begin(t, [], { headers: { 'x-tenant': 'blue' } });
    for (const span of spans(3, { name: 'chat some-model' })) exporter.push(span);
    await exporter.close?.();
    assert.equal(endpoint.bodies.length, 1);
    const body = endpoint.bodies[0]?.toString('latin1') ?? '';
    assert.equal(body.split('chat some-model').length - 1, 3);
    assert.equal(body.split('demo-agent').length - 1, 1, 'spans of one resource share it');
    assert.ok(body.includes('https://opentelemetry.io/schemas/1.41.0'));
    assert.equal(endpoint.headers[0]?.['x-tenant'], 'blue');
    assert.deepEqual([counts(), warnings], [{ 'otlp.exported': 3 }, []]);
  });

  test(`${name}: a full batch is sent without waiting, compressed when asked`, async (t) => {
    const { exporter, endpoint, counts } = await begin(t, [], { compression: 'gzip' });
    for (const span of spans(1100)) exporter.push(span);
    await untilRequests(endpoint, 2);
    await exporter.close?.();
    assert.equal(endpoint.bodies.length, 3);
    assert.deepEqual(counts(), { 'otlp.exported': 1100 });
  });

  test(`${name}: an endpoint that is busy is tried again`, async (t) => {
    const { exporter, endpoint, counts } = await begin(t, [busy]);
    for (const span of spans(600)) exporter.push(span);
    await untilRequests(endpoint, 2);
    await exporter.close?.();
    assert.equal(counts()['otlp.exported'], 600);
    assert.equal(counts()['otlp.failed'], undefined);
  });

  test(`${name}: what an endpoint refuses for good is counted, told once, and not sent again`, async (t) => {
    const { exporter, endpoint, counts, warnings } = await begin(t, [refused, refused, refused]);
    for (const span of spans(1100)) exporter.push(span);
    await exporter.close?.();
    assert.equal(endpoint.bodies.length, 3);
    assert.deepEqual(counts(), { 'otlp.failed': 1100 });
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? '',
      protocol === 'http' ? /HTTP status 400; 1100 / : /gRPC status INVALID_ARGUMENT; 1100 /,
    );
  });

  test(`${name}: a dead endpoint is told once, without its name twice, and does not keep the run`, async () => {
    const { exporter, counts, warnings } = createExporter(protocol, DEAD, { close_timeout: '60s' });
    for (const span of spans(700)) exporter.push(span);
    await exporter.close?.();
    assert.deepEqual(counts(), { 'otlp.unsent': 700 });
    const where = protocol === 'http' ? `${DEAD}/v1/traces` : DEAD;
    assert.deepEqual(warnings, [`${where} does not take spans over OTLP: connection refused; 700 spans were not sent`]);
  });

  test(`${name}: an endpoint that accepts and never answers holds close no longer than its timeout`, async (t) => {
    const { exporter, endpoint, counts, warnings } = await begin(t, ['hang', 'hang', 'hang', 'hang'], {
      close_timeout: '200ms',
      timeout: '2s',
    });
    for (const span of spans(5)) exporter.push(span);
    await exporter.close?.();
    assert.ok(endpoint.bodies.length > 0);
    assert.deepEqual(counts(), { 'otlp.unsent': 5 });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /no answer within 200ms at the end; 5 spans were not sent$/);
  });

  test(`${name}: content goes out only when asked for, by option or by the environment`, async (t) => {
    const content = { 'gen_ai.input.messages': 'my secret prompt', 'process.command_args': ['sh', '-c', 'the script'] };
    const env = { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' };
    for (const [options, environment, expected] of [
      [{}, {}, false],
      [{ include_content: true }, {}, true],
      [{}, env, true],
      [{ include_content: false }, env, false],
    ] as const) {
      const endpoint = await start(t);
      const { exporter } = createExporter(protocol, endpoint.url, options, environment);
      exporter.push(sampleSpan({ content, attributes: { 'process.command_args': ['sh', '-c', '[content]'] } }));
      await exporter.close?.();
      const body = endpoint.bodies[0]?.toString('latin1') ?? '';
      assert.equal(body.includes('my secret prompt'), expected);
      assert.equal(body.includes('the script'), expected);
      assert.equal(body.includes('[content]'), !expected);
    }
  });
}

test('a span of a trace that is not sampled is not sent', async (t) => {
  const endpoint = await startHttpEndpoint(t);
  const { exporter, counts } = createExporter('http', endpoint.url);
  exporter.push(sampleSpan({ sampled: false }));
  await exporter.close?.();
  assert.equal(endpoint.bodies.length, 0);
  assert.deepEqual(counts(), { 'otlp.not_sampled': 1 });
});

test('a full queue drops what comes, counts it, and says so once', async () => {
  const { exporter, counts, warnings } = createExporter('http', DEAD, { sending_queue: { queue_size: 10 } });
  for (const span of spans(50)) exporter.push(span);
  await exporter.close?.();
  assert.deepEqual(counts(), { 'otlp.queue_full': 40, 'otlp.unsent': 10 });
  assert.equal(warnings.filter((message) => /come faster/.test(message)).length, 1);
});

test('a batch stays within what a Collector takes over gRPC', async (t) => {
  const endpoint = await startHttpEndpoint(t);
  const { exporter } = createExporter('http', endpoint.url, { include_content: true });
  const content = { 'gen_ai.input.messages': 'x'.repeat(1_000_000) };
  for (const span of spans(7, { content })) exporter.push(span);
  await exporter.close?.();
  assert.ok(endpoint.bodies.length >= 3);
  for (const body of endpoint.bodies) assert.ok(body.length < 4 << 20, `${body.length} bytes`);
});

test('a batch that no attempt gets through is given up after max_elapsed_time', async () => {
  const retry_on_failure = { initial_interval: '1ms', max_interval: '1ms', max_elapsed_time: '30ms' };
  const { exporter, counts, warnings } = createExporter('http', DEAD, { retry_on_failure });
  for (const span of spans(512)) exporter.push(span);
  while (counts()['otlp.failed'] === undefined) await sleep(5);
  await exporter.close?.();
  assert.deepEqual(counts(), { 'otlp.failed': 512 });
  assert.deepEqual(warnings, [
    `${DEAD}/v1/traces does not take spans over OTLP: connection refused`,
    '512 spans were not sent over OTLP',
  ]);
});

test('after it recovers, a second outage is told again', async (t) => {
  const endpoint = await startHttpEndpoint(t, [400, 200, 400]);
  const { exporter, counts, warnings } = createExporter('http', endpoint.url);
  for (const span of spans(1536)) exporter.push(span);
  while (counts()['otlp.failed'] !== 1024) await sleep(5);
  await exporter.close?.();
  assert.deepEqual(counts(), { 'otlp.exported': 512, 'otlp.failed': 1024 });
  assert.equal(warnings.length, 3);
  assert.match(warnings[2] ?? '', /^1024 spans were not sent over OTLP$/);
});

test('closing twice is closing once', async (t) => {
  const endpoint = await startHttpEndpoint(t);
  const { exporter, counts } = createExporter('http', endpoint.url);
  exporter.push(sampleSpan());
  await Promise.all([exporter.close?.(), exporter.close?.()]);
  assert.deepEqual(counts(), { 'otlp.exported': 1 });
});
