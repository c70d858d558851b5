// bedrock-node.mjs URL converse|converse-stream|invoke-stream [--http1]
// An agent with a shell tool on the AWS SDK. Prints the answer.
import { execFileSync } from 'node:child_process';
import { request as httpsRequest } from 'node:https';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';

const [endpoint, method, http1] = process.argv.slice(2);
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
const client = new BedrockRuntimeClient({
  endpoint,
  region: 'us-east-1',
  credentials,
  maxAttempts: 1,
  // The SDK's own speaks HTTP/2.
  ...(http1 === undefined
    ? {}
    : { requestHandler: { handle: sendOverHttp1, metadata: { handlerProtocol: 'http/1.1' } } }),
});

function sendOverHttp1({ method: verb, hostname, port, path, headers, body }) {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest({ method: verb, hostname, port, path, headers }, (received) => {
      const { statusCode, headers: given } = received;
      resolve({ response: { statusCode, headers: given, body: received } });
    });
    sent.on('error', reject).end(body);
  });
}

const inputSchema = { json: { type: 'object', properties: { command: { type: 'string' } } } };
const toolConfig = { tools: [{ toolSpec: { name: 'shell', description: 'Runs a command', inputSchema } }] };
const modelId = 'us.amazon.nova-pro-v1:0';

async function converse(input) {
  if (method === 'converse') return (await client.send(new ConverseCommand(input))).output.message;
  const { stream } = await client.send(new ConverseStreamCommand(input));
  const content = [];
  for await (const { contentBlockStart: start, contentBlockDelta: delta } of stream) {
    if (start) content[start.contentBlockIndex] = { toolUse: { ...start.start.toolUse, input: '' } };
    if (delta?.delta.text) {
      content[delta.contentBlockIndex] ??= { text: '' };
      content[delta.contentBlockIndex].text += delta.delta.text;
    }
    if (delta?.delta.toolUse) content[delta.contentBlockIndex].toolUse.input += delta.delta.toolUse.input;
  }
  for (const { toolUse } of content) if (toolUse) toolUse.input = JSON.parse(toolUse.input);
  return { role: 'assistant', content };
}

async function agent() {
  const messages = [{ role: 'user', content: [{ text: 'Do what is needed.' }] }];
  for (;;) {
    const message = await converse({ modelId, messages, toolConfig, inferenceConfig: { maxTokens: 512 } });
    messages.push(message);
    const calls = message.content.flatMap(({ toolUse }) => toolUse ?? []);
    if (calls.length === 0) return message.content[0].text;
    const results = calls.map(({ toolUseId, input }) => {
      const text = execFileSync('/bin/sh', ['-c', input.command], { encoding: 'utf8' });
      return { toolResult: { toolUseId, content: [{ text }] } };
    });
    messages.push({ role: 'user', content: results });
  }
}

async function invoke() {
  const body = JSON.stringify({ prompt: 'Do what is needed.', max_gen_len: 512 });
  const command = new InvokeModelWithResponseStreamCommand({ modelId: 'meta.llama3-8b-instruct-v1:0', body });
  let text = '';
  for await (const { chunk } of (await client.send(command)).body) {
    text += JSON.parse(Buffer.from(chunk.bytes).toString('utf8')).generation;
  }
  return text;
}

console.log(await (method === 'invoke-stream' ? invoke() : agent()));
