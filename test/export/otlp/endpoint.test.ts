import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grpcEndpoint, httpEndpoint, shownUrl } from '../../../src/export/otlp/endpoint.ts';
import { otlpGrpcOptionsSchema, otlpHttpOptionsSchema } from '../../../src/export/otlp/options.ts';
import { SetupError } from '../../../src/model/setup-error.ts';

const http = (options: object, env = {}) => httpEndpoint(otlpHttpOptionsSchema.parse(options), env).url;
const grpc = (options: object, env = {}) => grpcEndpoint(otlpGrpcOptionsSchema.parse(options), env);

const general = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://general:1/' };
const traces = { ...general, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:2/path' };

// OpenTelemetry specification, "OpenTelemetry Protocol Exporter", "Endpoint URLs for OTLP/HTTP".
test('over HTTP, the general endpoint gets the path of traces, the one for traces is taken as it is', () => {
  assert.equal(http({}), 'http://localhost:4318/v1/traces');
  assert.equal(http({}, general), 'http://general:1/v1/traces');
  assert.equal(http({}, traces), 'http://traces:2/path');
  assert.equal(http({ endpoint: 'https://mine/base' }, traces), 'https://mine/base/v1/traces');
  assert.equal(http({ traces_endpoint: 'https://mine/all' }, traces), 'https://mine/all');
});

test('over gRPC, a scheme says whether there is TLS; without one there is, unless it is insecure', () => {
  assert.equal(grpc({}).url, 'http://localhost:4317');
  assert.equal(grpc({}, traces).url, 'http://traces:2/path');
  assert.deepEqual(
    ['http://a:1', 'https://a:1', 'a:1'].map((endpoint) => grpc({ endpoint }).secure),
    [false, true, true],
  );
  assert.equal(grpc({ endpoint: 'a:1', tls: { insecure: true } }).secure, false);
  assert.equal(grpc({ endpoint: 'a:1' }, { OTEL_EXPORTER_OTLP_INSECURE: 'true' }).secure, false);
});

test('an endpoint that is no address, or a certificate that is not there, is refused at the start', () => {
  assert.throws(() => http({}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' }), SetupError);
  assert.throws(() => grpc({}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://' }), SetupError);
  assert.throws(() => http({ endpoint: 'localhost:4318' }), /expected a URL/);
  assert.throws(() => grpc({ endpoint: 'http://' }), /expected an address/);
  assert.throws(() => grpc({ tls: { ca_file: '/nowhere.pem' } }), /cannot read \/nowhere.pem for OTLP: ENOENT/);
  assert.throws(() => grpc({}, { OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere.pem' }), SetupError);
});

test('a password in an endpoint is not shown', () => {
  assert.equal(shownUrl(grpc({ endpoint: 'http://me:secret@host:1' })), 'http://host:1');
});
