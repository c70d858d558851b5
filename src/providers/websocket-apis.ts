import { geminiLiveWebSocket } from './gemini-live.ts';
import { realtimeWebSocket } from './openai-realtime.ts';
import { responsesWebSocket } from './openai-responses-websocket.ts';
import type { WebSocketApi } from './websocket-api.ts';

/** The LLM APIs over WebSocket that are understood, in the order in which an upgrade is offered to them. */
export const webSocketApis: readonly WebSocketApi[] = [responsesWebSocket, realtimeWebSocket, geminiLiveWebSocket];
