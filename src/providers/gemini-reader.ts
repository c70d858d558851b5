import type { LlmResponse, Usage } from '../model/llm-call.ts';
import { createGeminiCandidate, type GeminiCandidate } from './gemini-candidate.ts';
import { geminiUsage } from './gemini-usage.ts';
import { asObject, countField, defined, field, type JsonObject, stringField } from './json-value.ts';
import { protoField, protoObjects, protoString } from './proto-json.ts';
import type { HttpResponseHead, ResponseReader } from './provider.ts';
import { createResponseFailure } from './response-failure.ts';

const CANDIDATE_LIMIT = 256;

/**
 * Reads a Gemini response: whole, or streamed as events or as an array of chunks; also inside Cloud Code's wrapper. A
 * stream of events does not tell its end.
 */
export function createGeminiReader(head: HttpResponseHead): ResponseReader {
  const failure = createResponseFailure(head);
  const candidates = new Map<number, GeminiCandidate>();
  let id: string | undefined;
  let model: string | undefined;
  let block_reason: string | undefined;
  let usage: Usage = {};
  let complete = false;

  function candidateAt(index: number): GeminiCandidate | undefined {
    const known = candidates.get(index);
    if (known !== undefined || candidates.size >= CANDIDATE_LIMIT) return known;
    const created = createGeminiCandidate();
    candidates.set(index, created);
    return created;
  }

  function add(outer: JsonObject, ktime_ns: bigint): void {
    const body = asObject(field(outer, 'response')) ?? outer;
    if (asObject(field(outer, 'error')) !== undefined) failure.report(outer, '_OTHER');
    else if (head.status >= 400) failure.report(outer, String(head.status));
    id ??= protoString(body, 'responseId') ?? stringField(outer, 'traceId');
    model ??= protoString(body, 'modelVersion');
    block_reason = protoString(protoField(body, 'promptFeedback'), 'blockReason')?.toLowerCase() ?? block_reason;
    for (const [position, candidate] of protoObjects(body, 'candidates').entries()) {
      candidateAt(countField(candidate, 'index') ?? position)?.add(candidate, ktime_ns);
    }
    usage = { ...usage, ...geminiUsage(protoField(body, 'usageMetadata')) };
  }

  return {
    pushEvent({ data }, ktime_ns) {
      const body = asObject(failure.parse(data));
      if (body !== undefined) add(body, ktime_ns);
    },
    pushBody(body, ktime_ns) {
      const { items, whole } = failure.parseItems(body.toString('utf8'));
      for (const item of items) add(item, ktime_ns);
      complete = whole;
    },
    get complete() {
      return complete;
    },
    result() {
      const ordered = [...candidates].sort(([a], [b]) => a - b).map(([, candidate]) => candidate);
      const reasons = ordered.flatMap((candidate) => candidate.finish_reason ?? []);
      const messages = ordered.map((candidate) => candidate.message());
      const response = defined<LlmResponse>({
        id,
        model,
        finish_reasons: reasons.length === 0 && block_reason !== undefined ? [block_reason] : reasons,
        messages: messages.filter(({ parts, finish_reason }) => parts.length > 0 || finish_reason !== undefined),
        tool_calls: ordered.flatMap((candidate) => candidate.tool_calls),
        usage,
        attributes: {},
      });
      return { response, error: failure.error, malformed: failure.malformed };
    },
  };
}
