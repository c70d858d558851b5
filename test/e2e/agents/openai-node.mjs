// openai-node.mjs chat|responses [--stream] [--calls N] [--parallel N] [--prompt-file FILE]
// An agent with a shell tool on the Node SDK. --parallel: that many conversations at once. Prints the answers.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs, promisify } from 'node:util';
import OpenAI from 'openai';

const { values, positionals } = parseArgs({
  options: { stream: { type: 'boolean' }, parallel: { type: 'string' }, 'prompt-file': { type: 'string' } },
  allowPositionals: true,
});
const run = promisify(execFile);
const client = new OpenAI({ maxRetries: 0 });
const parameters = { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] };
const prompt = values['prompt-file'] ? readFileSync(values['prompt-file'], 'utf8') : 'Do what is needed.';

async function shell(args) {
  const { stdout } = await run('/bin/sh', ['-c', JSON.parse(args).command]);
  return stdout;
}

async function chat(question) {
  const messages = [{ role: 'user', content: question }];
  const tools = [{ type: 'function', function: { name: 'shell', description: 'Runs a command', parameters } }];
  for (;;) {
    const request = { model: 'gpt-5-mini', messages, tools, temperature: 0.5, max_completion_tokens: 512 };
    const completion = values.stream
      ? await client.chat.completions
          .stream({ ...request, stream_options: { include_usage: true } })
          .finalChatCompletion()
      : await client.chat.completions.create(request);
    const { message } = completion.choices[0];
    messages.push(message);
    if (!message.tool_calls?.length) return message.content;
    const results = message.tool_calls.map(async (call) => ({
      role: 'tool',
      tool_call_id: call.id,
      content: await shell(call.function.arguments),
    }));
    messages.push(...(await Promise.all(results)));
  }
}

async function responses(question) {
  const tools = [{ type: 'function', name: 'shell', description: 'Runs a command', parameters, strict: false }];
  const input = [{ role: 'user', content: question }];
  for (;;) {
    const request = { model: 'gpt-5', input, tools, instructions: 'Be brief.', max_output_tokens: 512 };
    const response = values.stream
      ? await client.responses.stream(request).finalResponse()
      : await client.responses.create(request);
    input.push(...response.output);
    const calls = response.output.filter((item) => item.type === 'function_call');
    if (calls.length === 0) return response.output_text;
    const results = calls.map(async (call) => ({
      type: 'function_call_output',
      call_id: call.call_id,
      output: await shell(call.arguments),
    }));
    input.push(...(await Promise.all(results)));
  }
}

const ask = positionals[0] === 'responses' ? responses : chat;
const count = Number(values.parallel ?? 1);
const questions = Array.from({ length: count }, (_, index) => (count === 1 ? prompt : `${prompt} #${index}`));
for (const answer of await Promise.all(questions.map(ask))) console.log(answer.length > 200 ? answer.length : answer);
