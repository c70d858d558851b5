import { createGeminiReader } from './gemini-reader.ts';
import { geminiRequest } from './gemini-request.ts';
import { developerSchema, type GeminiSchema, vertexSchema } from './gemini-schema.ts';
import { asObject, parseJson, stringField } from './json-value.ts';
import { type ProtoMessage, protoMessage } from './proto-message.ts';
import type { HttpResponseHead, Provider, ResponseReader } from './provider.ts';
import { isPostTo, requestPath } from './request-target.ts';
import { createResponseFailure } from './response-failure.ts';

const TOO_MANY_FIELDS = 'a message of more fields than are read';
const NOT_READ = 'not the protobuf message that was expected';

function problemOf(message: ProtoMessage | undefined): string | undefined {
  if (message === undefined) return NOT_READ;
  return message.is_cut ? TOO_MANY_FIELDS : undefined;
}

/** Each message of a response is one of Gemini's answers, or a piece of one. */
function createReader(head: HttpResponseHead, { response }: GeminiSchema): ResponseReader {
  const failure = createResponseFailure(head);
  const reader = createGeminiReader(head);
  let malformed: string | undefined;
  return {
    pushEvent({ data, message, error_type }, ktime_ns) {
      if (error_type !== undefined) {
        failure.report({ type: error_type, message: stringField(asObject(parseJson(data)), 'message') }, '_OTHER');
      }
      if (message === undefined) return;
      const body = protoMessage(message, response);
      malformed ??= problemOf(body);
      if (body !== undefined) reader.pushEvent({ event: undefined, data: JSON.stringify(body.json) }, ktime_ns);
    },
    pushBody() {},
    complete: false,
    result() {
      const result = reader.result();
      return { ...result, error: failure.error ?? result.error, malformed: malformed ?? result.malformed };
    },
  };
}

function geminiGrpc(name: string, provider: string, path: RegExp, schema: GeminiSchema): Provider {
  return {
    name,
    matches: (head) =>
      isPostTo(head, path) && head.headers.get('content-type')?.startsWith('application/grpc') === true,
    parseRequest(head, body) {
      const message = protoMessage(body, schema.request);
      const problem = problemOf(message);
      const object = message?.json;
      const model = stringField(object, 'model');
      const stream = requestPath(head).endsWith('/StreamGenerateContent');
      return {
        provider,
        request: geminiRequest(object ?? {}, model?.slice(model.lastIndexOf('/') + 1), stream),
        malformed: problem === undefined ? undefined : `the request is ${problem}`,
      };
    },
    createResponseReader: (_request, head) => createReader(head, schema),
  };
}

const METHOD = '(?:Stream)?GenerateContent$';

/** The Gemini API over gRPC. */
export const geminiOverGrpc = geminiGrpc(
  'gemini_grpc',
  'gcp.gemini',
  new RegExp(`^/google\\.ai\\.generativelanguage\\.\\w+\\.GenerativeService/${METHOD}`),
  developerSchema,
);

/** Vertex AI over gRPC. */
export const vertexOverGrpc = geminiGrpc(
  'vertex_grpc',
  'gcp.vertex_ai',
  new RegExp(`^/google\\.cloud\\.aiplatform\\.\\w+\\.PredictionService/${METHOD}`),
  vertexSchema,
);
