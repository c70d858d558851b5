import { anthropicMessages, anthropicOnVertex } from './anthropic.ts';
import { anyApi } from './any-api.ts';
import { bedrockConverse, bedrockInvoke } from './bedrock.ts';
import { cohereChat, coherePrompt } from './cohere.ts';
import { geminiEmbeddings, geminiGenerate } from './gemini.ts';
import { geminiOverGrpc, vertexOverGrpc } from './gemini-grpc.ts';
import { ollamaChat, ollamaEmbeddings, ollamaGenerate } from './ollama.ts';
import { openAiChat, openAiCompletions, openAiEmbeddings, openAiResponses } from './openai.ts';
import type { Provider } from './provider.ts';
import { withHeadSession } from './session-id.ts';

/** The LLM APIs that are understood, in the order in which a request is offered to them: the last takes what looks like one. */
export const providers: readonly Provider[] = [
  anthropicMessages,
  anthropicOnVertex,
  bedrockConverse,
  bedrockInvoke,
  openAiChat,
  openAiResponses,
  openAiCompletions,
  openAiEmbeddings,
  geminiGenerate,
  geminiEmbeddings,
  geminiOverGrpc,
  vertexOverGrpc,
  cohereChat,
  coherePrompt,
  ollamaChat,
  ollamaGenerate,
  ollamaEmbeddings,
  anyApi,
].map(withHeadSession);
