/**
 * A process that writes to a store: `write-spans.ts PATH TRACE_ID COUNT`. Prints what it counted and told as JSON.
 */
import { createStore } from '../../../src/export/store/store.ts';
import { createCounters } from '../../../src/health/counters.ts';
import { hexId, sampleSpan } from './sample-spans.ts';

const [path = '', trace_id = '', count] = process.argv.slice(2);
const counters = createCounters();
const warnings: string[] = [];
const store = createStore({
  path,
  max_age: 2n ** 62n,
  max_bytes: 1e9,
  counters,
  warn: (message) => warnings.push(message),
});
for (let number = 1; number <= Number(count); number++) {
  store.push(
    sampleSpan({
      trace_id,
      span_id: hexId(number, 16),
      attributes: { text: `${number} `.repeat(100) },
      content: { text: `${trace_id.repeat(4)} ${number % 50}` },
    }),
  );
  if (number % 50 === 0) store.tick?.(BigInt(number) * 1_000_000_000n);
}
store.close?.();
console.log(JSON.stringify({ counts: counters.entries(), warnings }));
