import { anthropicMessages } from './anthropic.ts';
import { openAiChat, openAiCompletions, openAiEmbeddings, openAiResponses } from './openai.ts';
import type { Provider } from './provider.ts';

/** The LLM APIs that are understood, in the order in which a request is offered to them. */
export const providers: readonly Provider[] = [
  anthropicMessages,
  openAiChat,
  openAiResponses,
  openAiCompletions,
  openAiEmbeddings,
];
