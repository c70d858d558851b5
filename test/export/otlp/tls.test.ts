import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { otlpGrpcOptionsSchema, otlpHttpOptionsSchema } from '../../../src/export/otlp/options.ts';
import { createOtlpExporter } from '../../../src/export/otlp/otlp-exporter.ts';
import { createCounters } from '../../../src/health/counters.ts';
import { createCertificate } from '../../mock-llm/certificate.ts';
import { sampleSpan } from '../store/sample-spans.ts';
import { startGrpcEndpoint, startHttpEndpoint } from './fake-endpoints.ts';

const folder = mkdtempSync(join(tmpdir(), 'undersight-otlp-'));
after(() => rmSync(folder, { recursive: true }));
const certificate = createCertificate(folder);

/** Sends one span; how it ended, and what was told. */
async function send(type: 'otlp_http' | 'otlp_grpc', endpoint: string, tls: object) {
  const counters = createCounters();
  const warnings: string[] = [];
  const around = { counters, env: {}, warn: (message: string) => void warnings.push(message) };
  const exporter =
    type === 'otlp_http'
      ? createOtlpExporter({ type, options: otlpHttpOptionsSchema.parse({ endpoint, tls }) }, around)
      : createOtlpExporter({ type, options: otlpGrpcOptionsSchema.parse({ endpoint, tls }) }, around);
  exporter.push(sampleSpan());
  await exporter.close?.();
  return { counts: Object.fromEntries(counters.entries()), warnings };
}

for (const [type, start] of [
  ['otlp_http', startHttpEndpoint],
  ['otlp_grpc', startGrpcEndpoint],
] as const) {
  test(`${type}: a server whose authority is named gets the spans`, async (t) => {
    const { url } = await start(t, [], certificate);
    const { counts, warnings } = await send(type, url, { ca_file: certificate.authority_path });
    assert.deepEqual([counts, warnings], [{ 'otlp.exported': 1 }, []]);
  });

  test(`${type}: a server that nobody vouches for does not, and the user is told`, async (t) => {
    const { url, bodies } = await start(t, [], certificate);
    const { counts, warnings } = await send(type, url, {});
    assert.deepEqual(counts, { 'otlp.unsent': 1 });
    assert.equal(bodies.length, 0);
    assert.equal(warnings.length, 1);
  });

  test(`${type}: any server does when certificates are not to be verified`, async (t) => {
    const { url } = await start(t, [], certificate);
    const { counts } = await send(type, url, { insecure_skip_verify: true });
    assert.deepEqual(counts, { 'otlp.exported': 1 });
  });
}
