import { createHttp1Connection, type Http1Connection } from '../../src/protocol/http1.ts';

/** What is read of a connection, as lines of text: see `Http1Case`. */
export interface ExchangeRecorder {
  readonly connection: Http1Connection<number>;
  /** In the order of the requests. */
  readonly exchanges: () => readonly string[];
  readonly protocol: () => string | undefined;
  readonly counts: ReadonlyMap<string, number>;
}

export function recordExchanges(): ExchangeRecorder {
  const exchanges: { text: () => string }[] = [];
  const counts = new Map<string, number>();
  let spoken: string | undefined;
  const connection = createHttp1Connection<number>({
    request(head) {
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
        responseEnd: (_at, how) => (notes += ` ${how}`),
      };
    },
    protocol: (protocol) => (spoken ??= protocol),
    skipped() {},
    count: (reason) => counts.set(reason, (counts.get(reason) ?? 0) + 1),
  });
  return { connection, exchanges: () => exchanges.map(({ text }) => text()), protocol: () => spoken, counts };
}
