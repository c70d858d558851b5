import type { ProtoSchema } from './proto-message.ts';

/** The messages of GenerateContent of one of Google's two services, with the names that they have in JSON. */
export interface GeminiSchema {
  readonly request: ProtoSchema;
  readonly response: ProtoSchema;
}

const REASONS = 'FINISH_REASON_UNSPECIFIED STOP MAX_TOKENS SAFETY RECITATION OTHER'.split(' ');
const BLOCKED = 'BLOCK_REASON_UNSPECIFIED SAFETY OTHER BLOCKLIST PROHIBITED_CONTENT IMAGE_SAFETY'.split(' ');
const LANGUAGES = ['LANGUAGE_UNSPECIFIED', 'PYTHON'];
const OUTCOMES = ['OUTCOME_UNSPECIFIED', 'OUTCOME_OK', 'OUTCOME_FAILED', 'OUTCOME_DEADLINE_EXCEEDED'];

const blob: ProtoSchema = { 1: ['mimeType', 'string'], 2: ['data', 'bytes'] };
const file: ProtoSchema = { 1: ['mimeType', 'string'], 2: ['fileUri', 'string'] };
const call: ProtoSchema = { 1: ['name', 'string'], 2: ['args', 'struct'], 3: ['id', 'string'] };
const result: ProtoSchema = { 1: ['name', 'string'], 2: ['response', 'struct'], 3: ['id', 'string'] };
const declaration: ProtoSchema = { 1: ['name', 'string'], 2: ['description', 'string'] };
const tool: ProtoSchema = { 1: ['functionDeclarations[]', { fields: declaration }] };
const feedback: ProtoSchema = { 1: ['blockReason', BLOCKED] };

const devPart: ProtoSchema = {
  2: ['text', 'string'],
  3: ['inlineData', { fields: blob }],
  4: ['functionCall', { fields: call }],
  5: ['functionResponse', { fields: result }],
  6: ['fileData', { fields: file }],
  9: ['executableCode', { fields: { 1: ['language', LANGUAGES], 2: ['code', 'string'] } }],
  10: ['codeExecutionResult', { fields: { 1: ['outcome', OUTCOMES], 2: ['output', 'string'] } }],
  11: ['thought', 'bool'],
};
const devContent: ProtoSchema = { 1: ['parts[]', { fields: devPart }], 2: ['role', 'string'] };

/** google.ai.generativelanguage.v1beta (googleapis: google/ai/generativelanguage/v1beta/generative_service.proto). */
export const developerSchema: GeminiSchema = {
  request: {
    1: ['model', 'string'],
    2: ['contents[]', { fields: devContent }],
    4: [
      'generationConfig',
      {
        fields: {
          1: ['candidateCount', 'int'],
          2: ['stopSequences[]', 'string'],
          4: ['maxOutputTokens', 'int'],
          5: ['temperature', 'float'],
          6: ['topP', 'float'],
          7: ['topK', 'int'],
          13: ['responseMimeType', 'string'],
        },
      },
    ],
    5: ['tools[]', { fields: tool }],
    8: ['systemInstruction', { fields: devContent }],
  },
  response: {
    1: [
      'candidates[]',
      {
        fields: {
          1: ['content', { fields: devContent }],
          2: [
            'finishReason',
            [...REASONS, 'LANGUAGE', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'MALFORMED_FUNCTION_CALL'],
          ],
          3: ['index', 'int'],
        },
      },
    ],
    2: ['promptFeedback', { fields: feedback }],
    3: [
      'usageMetadata',
      {
        fields: {
          1: ['promptTokenCount', 'int'],
          2: ['candidatesTokenCount', 'int'],
          4: ['cachedContentTokenCount', 'int'],
          8: ['toolUsePromptTokenCount', 'int'],
          10: ['thoughtsTokenCount', 'int'],
        },
      },
    ],
    4: ['modelVersion', 'string'],
    5: ['responseId', 'string'],
  },
};

const vertexPart: ProtoSchema = {
  1: ['text', 'string'],
  2: ['inlineData', { fields: blob }],
  3: ['fileData', { fields: file }],
  5: ['functionCall', { fields: call }],
  6: ['functionResponse', { fields: result }],
};
const vertexContent: ProtoSchema = { 1: ['role', 'string'], 2: ['parts[]', { fields: vertexPart }] };

/** google.cloud.aiplatform.v1 (googleapis: google/cloud/aiplatform/v1/prediction_service.proto and content.proto). */
export const vertexSchema: GeminiSchema = {
  request: {
    2: ['contents[]', { fields: vertexContent }],
    4: [
      'generationConfig',
      {
        fields: {
          1: ['temperature', 'float'],
          2: ['topP', 'float'],
          3: ['topK', 'float'],
          4: ['candidateCount', 'int'],
          5: ['maxOutputTokens', 'int'],
          6: ['stopSequences[]', 'string'],
          8: ['presencePenalty', 'float'],
          9: ['frequencyPenalty', 'float'],
          12: ['seed', 'int'],
          13: ['responseMimeType', 'string'],
        },
      },
    ],
    5: ['model', 'string'],
    6: ['tools[]', { fields: tool }],
    8: ['systemInstruction', { fields: vertexContent }],
  },
  response: {
    2: [
      'candidates[]',
      {
        fields: {
          1: ['index', 'int'],
          2: ['content', { fields: vertexContent }],
          3: ['finishReason', [...REASONS, 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'MALFORMED_FUNCTION_CALL']],
        },
      },
    ],
    3: ['promptFeedback', { fields: feedback }],
    4: [
      'usageMetadata',
      {
        fields: {
          1: ['promptTokenCount', 'int'],
          2: ['candidatesTokenCount', 'int'],
          5: ['cachedContentTokenCount', 'int'],
          14: ['thoughtsTokenCount', 'int'],
        },
      },
    ],
    11: ['modelVersion', 'string'],
    13: ['responseId', 'string'],
  },
};
