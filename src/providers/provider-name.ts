import type { HttpRequestHead } from './provider.ts';
import { requestPath } from './request-target.ts';

/** Values of gen_ai.provider.name (GenAI semantic conventions 1.41.1); where those have none, one in their manner. */
const NAMES: readonly (readonly [host: RegExp, name: string])[] = [
  [/(?:^|\.)openai\.azure\.com$|(?:^|\.)cognitiveservices\.azure\.com$/, 'azure.ai.openai'],
  [/\.models\.ai\.azure\.com$|\.services\.ai\.azure\.com$|^models\.inference\.ai\.azure\.com$/, 'azure.ai.inference'],
  [/(?:^|\.)openai\.com$|(?:^|\.)chatgpt\.com$/, 'openai'],
  [/(?:^|\.)anthropic\.com$/, 'anthropic'],
  [/(?:^|\.)groq\.com$/, 'groq'],
  [/(?:^|\.)deepseek\.com$/, 'deepseek'],
  [/(?:^|\.)mistral\.ai$/, 'mistral_ai'],
  [/(?:^|\.)x\.ai$/, 'x_ai'],
  [/(?:^|\.)perplexity\.ai$/, 'perplexity'],
  [/(?:^|\.)cohere\.(?:ai|com)$/, 'cohere'],
  [/^generativelanguage\.googleapis\.com$/, 'gcp.gemini'],
  [/aiplatform\.googleapis\.com$|^aiplatform\.[a-z0-9-]+\.rep\.googleapis\.com$/, 'gcp.vertex_ai'],
  [/^(?:[a-z0-9-]+-)?cloudcode-pa\.(?:sandbox\.)?googleapis\.com$/, 'gcp.gen_ai'],
  [/^bedrock[a-z-]*\.[a-z0-9-]+\.(?:amazonaws\.com|api\.aws)$/, 'aws.bedrock'],
  [/\.ml\.cloud\.ibm\.com$/, 'ibm.watsonx.ai'],
  [/(?:^|\.)openrouter\.ai$/, 'openrouter'],
  [/(?:^|\.)together\.(?:xyz|ai)$/, 'together_ai'],
  [/(?:^|\.)fireworks\.ai$/, 'fireworks_ai'],
  [/(?:^|\.)cerebras\.ai$/, 'cerebras'],
  [/(?:^|\.)moonshot\.(?:ai|cn)$/, 'moonshot_ai'],
  [/^dashscope[a-z-]*\.aliyuncs\.com$/, 'alibaba_cloud'],
  [/(?:^|\.)(?:z\.ai|bigmodel\.cn)$/, 'z_ai'],
  [/(?:^|\.)minimax(?:i)?\.(?:io|chat|com)$/, 'minimax'],
  [/(?:^|\.)huggingface\.co$/, 'hugging_face'],
  [/(?:^|\.)api\.nvidia\.com$/, 'nvidia'],
  [/(?:^|\.)githubcopilot\.com$/, 'github_copilot'],
  [/^models\.github\.ai$/, 'github_models'],
  [/(?:^|\.)sambanova\.ai$/, 'sambanova'],
  [/(?:^|\.)deepinfra\.com$/, 'deepinfra'],
  [/^oai\.helicone\.ai$/, 'openai'],
  [/^anthropic\.helicone\.ai$/, 'anthropic'],
];

/** What gateways call a provider, in the path that leads to it or in a header. */
const ALIASES: Readonly<Record<string, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  azure: 'azure.ai.openai',
  'azure-openai': 'azure.ai.openai',
  gemini: 'gcp.gemini',
  google: 'gcp.gemini',
  'google-ai-studio': 'gcp.gemini',
  vertex_ai: 'gcp.vertex_ai',
  'vertex-ai': 'gcp.vertex_ai',
  'google-vertex-ai': 'gcp.vertex_ai',
  bedrock: 'aws.bedrock',
  'aws-bedrock': 'aws.bedrock',
  mistral: 'mistral_ai',
  'mistral-ai': 'mistral_ai',
  groq: 'groq',
  deepseek: 'deepseek',
  perplexity: 'perplexity',
  'perplexity-ai': 'perplexity',
  cohere: 'cohere',
  grok: 'x_ai',
  xai: 'x_ai',
  'x-ai': 'x_ai',
  openrouter: 'openrouter',
  cerebras: 'cerebras',
  ollama: 'ollama',
};
const PREFIX_SEGMENTS = 6;

/** gen_ai.provider.name of the host a request goes to; `protocol` (`openai`, `anthropic`) where nothing tells it. */
export function providerName(head: HttpRequestHead, protocol: string): string {
  const name = hostName(head);
  const path = requestPath(head);
  const named = byHost(name);
  // Its other models are behind other paths of the same host.
  if (named === 'azure.ai.inference' && path.includes('/openai/')) return 'azure.ai.openai';
  if (named !== undefined) return named;
  if (path.includes('/openai/deployments/')) return 'azure.ai.openai';
  if (/(?:^|\.)ollama\b/.test(name) || head.host?.endsWith(':11434')) return 'ollama';
  return behindGateway(head, path) ?? protocol;
}

/** Do the host, or a gateway's header, say who serves the model? A path may only say whose API is spoken. */
export function namesSeller(head: HttpRequestHead): boolean {
  return (byHost(hostName(head)) ?? byHeader(head)) !== undefined;
}

function hostName({ host }: HttpRequestHead): string {
  return (host ?? '')
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/\.$/, '');
}

function byHost(name: string): string | undefined {
  return NAMES.find(([pattern]) => pattern.test(name))?.[1];
}

function byAlias(word: string): string | undefined {
  const alias = word.toLowerCase();
  return Object.hasOwn(ALIASES, alias) ? ALIASES[alias] : undefined;
}

/** Portkey and Helicone. */
function byHeader({ headers }: HttpRequestHead): string | undefined {
  const target = URL.parse(headers.get('helicone-target-url') ?? '')?.hostname;
  return (target && byHost(target)) || byAlias(headers.get('x-portkey-provider') ?? '');
}

/** Cloudflare and LiteLLM name the provider in the path. */
function behindGateway(head: HttpRequestHead, path: string): string | undefined {
  const words = path.split('/', PREFIX_SEGMENTS).map(byAlias);
  return byHeader(head) ?? words.find((name) => name !== undefined);
}
