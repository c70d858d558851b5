import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_KEY, type Place, type RealAgent } from '../real-agent.ts';

const scripts = join(import.meta.dirname, '../../e2e/agents');
const own = import.meta.dirname;

/** Small agents with a shell tool, each on a published SDK. */
const base = {
  environment: ({ url }: Place) => ({
    OPENAI_BASE_URL: `${url}/v1`,
    ANTHROPIC_BASE_URL: url,
    OPENAI_API_KEY: API_KEY,
    ANTHROPIC_API_KEY: API_KEY,
    PYTHONDONTWRITEBYTECODE: '1',
    LANGSMITH_TRACING: 'false',
  }),
  shell: (command: string) => ({ name: 'shell', arguments: { command } }),
};
const systemOpenssl = () => '/usr/lib/x86_64-linux-gnu/libssl.so.3';

function node(name: string, package_name: string, version: string, script: readonly string[]): RealAgent {
  return {
    ...base,
    name: `${name} (Node.js)`,
    version,
    packages: { npm: [`${package_name}@${version}`] },
    command: ({ installed }) => [process.execPath, join(installed, script[0] ?? ''), ...script.slice(1)],
    build: (installed) => copyScript(script[0] ?? '', installed),
    tlsFile: () => process.execPath,
  };
}

function python(name: string, version: string, pip: readonly string[], script: readonly string[]): RealAgent {
  return {
    ...base,
    name: `${name} (Python)`,
    version,
    packages: { pip },
    command: ({ installed }) => [join(installed, 'venv/bin/python'), ...script],
    tlsFile: systemOpenssl,
  };
}

export const sdkAgents: readonly RealAgent[] = [
  node('OpenAI SDK', 'openai', '7.55.0', ['openai-node.mjs', 'chat', '--stream']),
  node('OpenAI SDK, Responses', 'openai', '7.55.0', ['openai-node.mjs', 'responses', '--stream']),
  node('Anthropic SDK', '@anthropic-ai/sdk', '1.11.0', ['anthropic-node.mjs', '--stream']),
  python('OpenAI SDK', '3.52.0', ['openai==3.52.0'], [join(scripts, 'openai_python.py'), '--stream']),
  python('Anthropic SDK', '2.11.0', ['anthropic==2.11.0'], [join(scripts, 'anthropic_python.py'), '--stream']),
  python(
    'LangGraph',
    '1.2.24',
    ['langgraph==1.2.24', 'langchain==1.4.7', 'langchain-openai==1.7.3'],
    [join(own, 'langgraph_agent.py')],
  ),
  python('aiohttp', '3.14.5', ['aiohttp==3.14.5'], [join(own, 'aiohttp_agent.py')]),
];

/** A module is looked for beside the script that imports it. */
function copyScript(script: string, installed: string): void {
  copyFileSync(join(scripts, script), join(installed, script));
}
