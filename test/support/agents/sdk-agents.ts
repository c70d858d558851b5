import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildGo, goVersion } from '../../go-program.ts';
import type { RealAgent } from '../real-agent.ts';
import { hasCargo, openaiGo, reqwest } from './compiled-agents.ts';
import { base, TOO_QUICK } from './sdk-base.ts';

const scripts = join(import.meta.dirname, '../../e2e/agents');
const own = import.meta.dirname;

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

const langgraph = ['langgraph==1.2.24', 'langchain==1.4.7', 'langchain-openai==1.7.3', 'langchain-anthropic==1.7.7'];

const ollama: RealAgent = {
  ...python('Ollama client', '0.6.3', ['ollama==0.6.3'], [join(own, 'ollama_agent.py')]),
  server: { plain: true },
  environment: ({ url }) => ({ OLLAMA_HOST: url, PYTHONDONTWRITEBYTECODE: '1' }),
  note: 'HTTP without TLS; Ollama gives its answers no id: calls are compared in their order',
  unwatched: 'finds agents by TLS traffic, by name or by a rule; this is none of these',
};

/** On Go's standard library, stripped. */
function go(version: string): RealAgent {
  return {
    ...base,
    name: 'net/http, stripped (Go)',
    version,
    packages: {},
    build: (installed) => {
      buildGo(installed, 'openai', readFileSync(join(scripts, 'openai.go'), 'utf8'), '-ldflags=-s -w');
    },
    command: ({ installed }) => [join(installed, 'openai')],
    tlsFile: ({ installed }) => join(installed, 'openai'),
    unwatched: TOO_QUICK,
  };
}

const goSdks =
  goVersion === undefined ? [] : [openaiGo('OpenAI SDK'), openaiGo('OpenAI SDK, stripped', '-ldflags=-s -w')];

export const sdkAgents: readonly RealAgent[] = [
  node('OpenAI SDK', 'openai', '7.55.0', ['openai-node.mjs', 'chat', '--stream']),
  node('OpenAI SDK, Responses', 'openai', '7.55.0', ['openai-node.mjs', 'responses', '--stream']),
  node('Anthropic SDK', '@anthropic-ai/sdk', '1.11.0', ['anthropic-node.mjs', '--stream']),
  python('OpenAI SDK', '3.52.0', ['openai==3.52.0'], [join(scripts, 'openai_python.py'), '--stream']),
  python('Anthropic SDK', '2.11.0', ['anthropic==2.11.0'], [join(scripts, 'anthropic_python.py'), '--stream']),
  python('LangGraph, OpenAI', '1.2.24', langgraph, [join(own, 'langgraph_agent.py'), 'openai']),
  python('LangGraph, Anthropic', '1.2.24', langgraph, [join(own, 'langgraph_agent.py'), 'anthropic']),
  python('aiohttp', '3.14.5', ['aiohttp==3.14.5'], [join(own, 'aiohttp_agent.py')]),
  ollama,
  ...goSdks,
  ...(goVersion === undefined ? [] : [go(goVersion)]),
  ...(hasCargo ? [reqwest] : []),
];

/** A module is looked for beside the script that imports it. */
function copyScript(script: string, installed: string): void {
  copyFileSync(join(scripts, script), join(installed, script));
}
