import { createHttpConnection } from '../../src/protocol/http-connection.ts';
import type { HttpConnection, RequestHead } from '../../src/protocol/http-exchange.ts';

/** What is read of a connection, as lines of text: see `Http1Case`. */
export interface ExchangeRecorder {
  readonly connection: HttpConnection<number>;
  /** In the order of the requests. */
  readonly exchanges: () => readonly string[];
  readonly protocol: () => string | undefined;
  readonly counts: ReadonlyMap<string, number>;
}

/** `onRequest` hears of every request's head. */
export function recordExchanges(onRequest?: (head: RequestHead) => void): ExchangeRecorder {
  const exchanges: { text: () => string }[] = [];
  const counts = new Map<string, number>();
  let spoken: string | undefined;
  const connection = createHttpConnection<number>({
    max_streams: 512,
    request(head) {
      onRequest?.(head);
      let request = '';
      let status = 'none';
      let response = '';
      let notes = '';
      const latin1 = (data: Uint8Array) => Buffer.from(data).toString('latin1');
      exchanges.push({
        text: () =>
          `${head.method} ${head.target} ${JSON.stringify(request)} -> ${status} ${JSON.stringify(response)}${notes}`,
      });
      return {
        requestBody: (data) => (request += latin1(data)),
        requestGap: (bytes) => (request += `<${bytes}>`),
        requestEnd: (_at, whole) => (notes += whole ? '' : ' request-broke-off'),
        responseHead: (response_head) => (status = String(response_head.status)),
        responseBody: (data) => (response += latin1(data)),
        responseGap: (bytes) => (response += `<${bytes}>`),
        responseMalformed: () => (notes += ' malformed'),
        responseEnd: (_at, how, cause) => (notes += ` ${how}${cause === undefined ? '' : ` (${cause})`}`),
      };
    },
    upgrade: () => undefined,
    protocol: (protocol) => (spoken ??= protocol),
    skipped() {},
    lost: (reason) => counts.set(reason, (counts.get(reason) ?? 0) + 1),
    counted: (reason, amount = 1) => counts.set(reason, (counts.get(reason) ?? 0) + amount),
  });
  return { connection, exchanges: () => exchanges.map(({ text }) => text()), protocol: () => spoken, counts };
}
