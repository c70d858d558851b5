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
];

/** gen_ai.provider.name of the host a request goes to; `protocol` (`openai`, `anthropic`) where the host is unknown. */
export function providerName(head: HttpRequestHead, protocol: string): string {
  const host = (head.host ?? '').toLowerCase();
  const name = host.replace(/:\d{1,5}$/, '').replace(/\.$/, '');
  for (const [pattern, provider] of NAMES) if (pattern.test(name)) return provider;
  if (requestPath(head).startsWith('/openai/deployments/')) return 'azure.ai.openai';
  if (/(?:^|\.)ollama\b/.test(name) || host.endsWith(':11434')) return 'ollama';
  return protocol;
}
