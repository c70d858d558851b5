// anthropic-node.mjs [--stream]: an agent with a shell tool on the Node SDK.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';

const stream = process.argv.includes('--stream');
const run = promisify(execFile);
const client = new Anthropic({ maxRetries: 0 });
const tools = [
  {
    name: 'shell',
    description: 'Runs a command',
    input_schema: { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] },
  },
];
const messages = [{ role: 'user', content: 'Do what is needed.' }];

for (;;) {
  const request = { model: 'claude-opus-4-8', max_tokens: 512, system: 'Be brief.', messages, tools };
  const message = stream ? await client.messages.stream(request).finalMessage() : await client.messages.create(request);
  messages.push({ role: 'assistant', content: message.content });
  const calls = message.content.filter((block) => block.type === 'tool_use');
  if (calls.length === 0) {
    console.log(message.content.find((block) => block.type === 'text')?.text);
    break;
  }
  const results = calls.map(async (call) => {
    const { stdout } = await run('/bin/sh', ['-c', call.input.command]);
    return { type: 'tool_result', tool_use_id: call.id, content: stdout };
  });
  messages.push({ role: 'user', content: await Promise.all(results) });
}
