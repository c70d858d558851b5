import type { LlmRequest, Usage } from '../model/llm-call.ts';
import { anthropicRequest } from './anthropic-request.ts';
import { createConverseReader } from './converse-reader.ts';
import { converseRequest } from './converse-request.ts';
import { asObject, asObjects, defined, field, type JsonObject, parseJson, stringField } from './json-value.ts';
import { chatRequest } from './openai-chat-request.ts';
import { promptRequest } from './prompt-request.ts';
import type { HttpRequestHead, HttpResponseHead, ParsedRequest, Provider, ResponseReader } from './provider.ts';
import { isPostTo, requestPath } from './request-target.ts';
import { createResponseFailure } from './response-failure.ts';
import { createShapeReader } from './shape-reader.ts';

const CONVERSE = /\/model\/([^?#]{1,2048})\/converse(-stream)?$/;
const INVOKE = /\/model\/([^?#]{1,2048})\/invoke(-with-response-stream)?$/;
const NAME = 'aws.bedrock';

/** An id, or the last part of an ARN, which holds an account's number. */
function modelIn(path: string): string {
  const name = path.replace(/%2F/gi, '/').replace(/%3A/gi, ':');
  return name.slice(name.lastIndexOf('/') + 1);
}

function parse(
  path: RegExp,
  head: HttpRequestHead,
  body: Buffer,
  read: (body: JsonObject, model: string, stream: boolean) => LlmRequest,
): ParsedRequest {
  const [, name = '', stream] = path.exec(requestPath(head)) ?? [];
  const object = asObject(parseJson(body.toString('utf8')));
  return {
    provider: NAME,
    request: read(object ?? {}, modelIn(name), stream !== undefined),
    malformed: object === undefined ? 'the request body is not a JSON object' : undefined,
  };
}

/** Amazon Bedrock's Converse and ConverseStream: one API for all models. */
export const bedrockConverse: Provider = {
  name: 'bedrock_converse',
  matches: (head) => isPostTo(head, CONVERSE),
  parseRequest: (head, body) => parse(CONVERSE, head, body, converseRequest),
  createResponseReader: (_request, head) => createConverseReader(head),
};

/** Amazon Bedrock's InvokeModel, with the body that the model itself takes. */
export const bedrockInvoke: Provider = {
  name: 'bedrock_invoke',
  matches: (head) => isPostTo(head, INVOKE),
  parseRequest: (head, body) =>
    parse(INVOKE, head, body, (object, model, stream) => {
      const request = modelRequest(object, model, stream);
      const guardrail = head.headers.get('x-amzn-bedrock-guardrailidentifier');
      if (guardrail === undefined) return request;
      return { ...request, attributes: { ...request.attributes, 'aws.bedrock.guardrail.id': guardrail } };
    }),
  createResponseReader: createInvokeReader,
};

function modelRequest(body: JsonObject, model: string, stream: boolean): LlmRequest {
  if (field(body, 'anthropic_version') !== undefined || /(?:^|\.)anthropic\./.test(model)) {
    return { ...anthropicRequest(body), model, stream };
  }
  const messages = asObjects(field(body, 'messages'));
  if (messages.length === 0) return promptRequest(body, model, stream);
  const [block] = asObjects(field(messages[0], 'content'));
  const is_converse = block !== undefined && field(block, 'type') === undefined;
  if (is_converse || field(body, 'inferenceConfig') !== undefined) return converseRequest(body, model, stream);
  return { ...chatRequest(body, NAME, model), stream };
}

/** What the model answers; in a stream, each event holds a piece of that in base64. */
function createInvokeReader(request: LlmRequest, head: HttpResponseHead): ResponseReader {
  const failure = createResponseFailure(head);
  const reader = createShapeReader(request, head);
  let is_over = false;
  return {
    pushEvent({ data, error_type }, ktime_ns) {
      if (error_type !== undefined) {
        failure.report({ type: error_type, message: stringField(asObject(parseJson(data)), 'message') }, '_OTHER');
        is_over = true;
        return;
      }
      const bytes = stringField(failure.parse(data), 'bytes');
      if (bytes === undefined) return;
      reader.pushEvent({ event: undefined, data: Buffer.from(bytes, 'base64').toString('utf8') }, ktime_ns);
    },
    pushBody: (body, ktime_ns) => reader.pushBody(body, ktime_ns),
    get complete() {
      return is_over || reader.complete;
    },
    result() {
      const { response, error, malformed } = reader.result();
      const usage = { ...countedInHead(head), ...response.usage };
      return {
        response: { ...response, usage },
        error: error ?? failure.error,
        malformed: malformed ?? failure.malformed,
      };
    },
  };
}

/** For models that do not count tokens themselves. */
function countedInHead({ headers }: HttpResponseHead): Usage {
  const count = (name: string): number | undefined => {
    const text = headers.get(`x-amzn-bedrock-${name}-token-count`);
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  };
  return defined<Usage>({ input_tokens: count('input'), output_tokens: count('output') });
}
