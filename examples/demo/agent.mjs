// A small agent: one question, a shell tool, streamed answers. It knows nothing of Undersight.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import OpenAI from 'openai';

const run = promisify(execFile);
const client = new OpenAI(); // OPENAI_API_KEY and OPENAI_BASE_URL
const tools = [
  {
    type: 'function',
    function: {
      name: 'shell',
      description: 'Run a shell command and return what it prints',
      parameters: { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] },
    },
  },
];
const messages = [
  { role: 'system', content: 'You look after two services. Use the shell tool.' },
  { role: 'user', content: 'Do the orders and users services answer as their descriptions say?' },
];

for (let round = 0; round < 8; round++) {
  const stream = client.chat.completions.stream({
    model: 'gpt-5-mini',
    max_completion_tokens: 1024,
    messages,
    tools,
    stream_options: { include_usage: true },
  });
  const { message } = (await stream.finalChatCompletion()).choices[0];
  messages.push(message);
  if (!message.tool_calls?.length) {
    console.log(`agent: ${message.content}`);
    break;
  }
  const running = message.tool_calls.map(async ({ id, function: call }) => {
    const { command } = JSON.parse(call.arguments);
    const { stdout } = await run('/bin/sh', ['-c', command]);
    return { role: 'tool', tool_call_id: id, content: stdout };
  });
  // Nobody asked for this one: the model does not know that it runs.
  await run('id', ['-un']);
  messages.push(...(await Promise.all(running)));
}
