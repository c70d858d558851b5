import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Server, ServerCredentials, type ServerWritableStream, status } from '@grpc/grpc-js';
import { createCertificate } from '../mock-llm/certificate.ts';
import { protoField } from '../protocol/proto-bytes.ts';
import { outline } from './trace.ts';
import { agents, createWorkspace } from './workspace.ts';

const QUESTION = Buffer.concat([
  protoField(1, 'models/gemini-2.5-pro'),
  protoField(2, [protoField(1, [protoField(2, 'hi')]), protoField(2, 'user')]),
]);
const piece = (text: string) =>
  protoField(1, [protoField(1, [protoField(1, [protoField(2, text)])]), protoField(2, 1)]);
const LAST = Buffer.concat([piece('lo'), protoField(3, [protoField(1, 10), protoField(2, 5)])]);

/** A gRPC server on loopback that answers in two pieces, or refuses. */
async function startServer(t: TestContext, refusal?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'mock-grpc-'));
  const { key, cert, authority_path } = createCertificate(folder);
  const server = new Server();
  const asBytes = (bytes: Buffer) => bytes;
  const method = (path: string) => ({
    path: `/google.ai.generativelanguage.v1beta.GenerativeService/${path}`,
    requestStream: false,
    responseStream: true,
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  });
  const answer = (call: ServerWritableStream<Buffer, Buffer>) => {
    call.write(piece('Hel'));
    if (refusal !== undefined) {
      call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: refusal });
      return;
    }
    call.write(LAST);
    call.end();
  };
  const service = { generate: method('GenerateContent'), stream: method('StreamGenerateContent') };
  server.addService(service, { generate: answer, stream: answer });
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [pair]), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  t.after(() => {
    server.forceShutdown();
    rmSync(folder, { recursive: true, force: true });
  });
  return { address: `127.0.0.1:${port}`, authority_path };
}

for (const method of ['GenerateContent', 'StreamGenerateContent']) {
  test(`Gemini's ${method} over gRPC is one call with its tokens`, async (t) => {
    const { address, authority_path } = await startServer(t);
    const command = ['node', join(agents, 'gemini-grpc.mjs'), address, authority_path, method];
    const result = await createWorkspace(t, undefined).run([...command, QUESTION.toString('base64')]);
    assert.equal(result.stdout, '2\n', result.stderr);
    const calls = result.spans.filter(({ name }) => name === 'generate_content gemini-2.5-pro');
    assert.equal(calls.length, 1, outline(result.spans));
    const { attributes } = calls[0] ?? assert.fail();
    assert.equal(attributes['gen_ai.provider.name'], 'gcp.gemini');
    assert.equal(attributes['gen_ai.request.stream'] ?? false, method.startsWith('Stream'));
    assert.equal(attributes['gen_ai.usage.input_tokens'], 10);
    assert.equal(attributes['gen_ai.usage.output_tokens'], 5);
    assert.deepEqual(attributes['gen_ai.response.finish_reasons'], ['stop']);
    assert.equal(attributes['error.type'], undefined);
    assert.equal(attributes['undersight.capture.gap'], undefined);
  });
}

test('what trailers say that went wrong is the error of the call', async (t) => {
  const { address, authority_path } = await startServer(t, 'Quota exceeded');
  const command = ['node', join(agents, 'gemini-grpc.mjs'), address, authority_path, 'StreamGenerateContent'];
  const result = await createWorkspace(t, undefined).run([...command, QUESTION.toString('base64')]);
  assert.equal(result.stdout, 'RESOURCE_EXHAUSTED\n', result.stderr);
  const [call] = result.spans.filter(({ name }) => name === 'generate_content gemini-2.5-pro');
  assert.equal(call?.attributes['error.type'], 'RESOURCE_EXHAUSTED', outline(result.spans));
});
