/** A connection as bytes, and what is read of it. `>` is what the client writes, `<` what it reads, in turn. */
export interface Http1Case {
  readonly name: string;
  readonly bytes: readonly (readonly ['>' | '<', string])[];
  /** One line for each exchange: method, target, request body, status, response body, how it ended. */
  readonly exchanges: readonly string[];
  readonly protocol?: string;
}

const lines = (...parts: readonly string[]): string => parts.join('\r\n');
const GET = lines('GET / HTTP/1.1', 'Host: a', '', '');

export const HTTP1_CASES: readonly Http1Case[] = [
  {
    name: 'a request and a response with lengths',
    bytes: [
      ['>', lines('POST /v1 HTTP/1.1', 'Host: a', 'Content-Length: 5', '', 'hello')],
      ['<', lines('HTTP/1.1 200 OK', 'content-length: 3', '', 'you')],
    ],
    exchanges: ['POST /v1 "hello" -> 200 "you" whole'],
  },
  {
    name: 'two exchanges on one connection',
    bytes: [
      ['>', lines('POST /1 HTTP/1.1', 'Content-Length: 1', '', 'a')],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 1', '', 'A')],
      ['>', lines('POST /2 HTTP/1.1', 'Content-Length: 1', '', 'b')],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 1', '', 'B')],
    ],
    exchanges: ['POST /1 "a" -> 200 "A" whole', 'POST /2 "b" -> 200 "B" whole'],
  },
  {
    name: 'pipelined requests get their responses in order',
    bytes: [
      ['>', lines('GET /1 HTTP/1.1', '', 'HEAD /2 HTTP/1.1', '', 'GET /3 HTTP/1.1', '', '')],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 3', '', 'one')],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 99', '', '')],
      ['<', lines('HTTP/1.1 404 Not Found', 'Content-Length: 5', '', 'three')],
    ],
    exchanges: ['GET /1 "" -> 200 "one" whole', 'HEAD /2 "" -> 200 "" whole', 'GET /3 "" -> 404 "three" whole'],
  },
  {
    name: 'chunks with extensions and trailers',
    bytes: [
      ['>', lines('POST / HTTP/1.1', 'Transfer-Encoding: chunked', '', '3', 'abc', '2', 'de', '0', '', '')],
      [
        '<',
        lines('HTTP/1.1 200 OK', 'transfer-encoding: Chunked', '', '4;x=1', 'abcd', '00a', '0123456789', '0;end') +
          lines('', 'Checksum: 1', '', ''),
      ],
    ],
    exchanges: ['POST / "abcde" -> 200 "abcd0123456789" whole'],
  },
  {
    name: 'a chunked body that holds what looks like framing',
    bytes: [
      ['>', GET],
      ['<', lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '12', '\r\n0\r\n\r\nHTTP/1.1 20', '0', '', '')],
    ],
    exchanges: ['GET / "" -> 200 "\\r\\n0\\r\\n\\r\\nHTTP/1.1 20" whole'],
  },
  {
    name: 'a body that lasts until the connection is closed',
    bytes: [
      ['>', GET],
      ['<', lines('HTTP/1.0 200 OK', '', 'to the end')],
    ],
    exchanges: ['GET / "" -> 200 "to the end" closed'],
  },
  {
    name: 'interim responses are no response',
    bytes: [
      ['>', lines('POST / HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 2', '', '')],
      ['<', lines('HTTP/1.1 100 Continue', '', '')],
      ['>', 'ok'],
      ['<', lines('HTTP/1.1 103 Early Hints', 'Link: x', '', 'HTTP/1.1 200 OK', 'Content-Length: 1', '', '!')],
    ],
    exchanges: ['POST / "ok" -> 200 "!" whole'],
  },
  {
    name: 'statuses that have no body',
    bytes: [
      ['>', lines('GET /1 HTTP/1.1', '', 'GET /2 HTTP/1.1', '', '')],
      ['<', lines('HTTP/1.1 204 No Content', '', 'HTTP/1.1 304 Not Modified', 'Content-Length: 7', '', '')],
    ],
    exchanges: ['GET /1 "" -> 204 "" whole', 'GET /2 "" -> 304 "" whole'],
  },
  {
    name: 'bare LF, an empty line before the request, a status without reason',
    bytes: [
      ['>', '\r\nGET / HTTP/1.1\nhost: a\n\n'],
      ['<', 'HTTP/1.1 200\nContent-Length: 2\n\nok'],
    ],
    exchanges: ['GET / "" -> 200 "ok" whole'],
  },
  {
    name: 'folded and repeated header fields',
    bytes: [
      ['>', lines('POST / HTTP/1.1', 'Content-Length:', '  2', '', 'ab')],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 2', 'content-length: 2', '', 'AB')],
    ],
    exchanges: ['POST / "ab" -> 200 "AB" whole'],
  },
  {
    name: 'chunked wins over a length',
    bytes: [
      ['>', GET],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 999', 'Transfer-Encoding: chunked', '', '1', 'a', '0', '', '')],
    ],
    exchanges: ['GET / "" -> 200 "a" whole'],
  },
  {
    name: 'a connection closed in the middle of a response',
    bytes: [
      ['>', GET],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 10', '', 'half ')],
    ],
    exchanges: ['GET / "" -> 200 "half " cut'],
  },
  {
    name: 'a connection closed without a response',
    bytes: [['>', GET]],
    exchanges: ['GET / "" -> none "" cut'],
  },
  {
    name: 'a response joined in its middle is passed over, and the next exchange is read',
    bytes: [
      ['<', 'e of a body {"a":1}\r\nrest of it\r\n0\r\n\r\n'],
      ['>', GET],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 2', '', 'ok')],
    ],
    exchanges: ['GET / "" -> 200 "ok" whole'],
  },
  {
    name: 'a request joined in its middle is passed over with its response',
    bytes: [
      ['>', '"tail of json"}\n'],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 2', '', 'no')],
      ['>', GET],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 3', '', 'yes')],
    ],
    exchanges: ['GET / "" -> 200 "yes" whole'],
  },
  {
    name: 'a head that is none is passed over',
    bytes: [
      ['>', lines('POST / HTTP/1.1', 'no colon here', '', '')],
      ['>', GET],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 2', '', 'ok')],
    ],
    exchanges: ['GET / "" -> 200 "ok" whole'],
  },
  {
    name: 'contradicting lengths make a response unreadable, not the connection',
    bytes: [
      ['>', GET],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 2', 'Content-Length: 3', '', 'ab\n')],
      ['>', GET],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 2', '', 'ok')],
    ],
    exchanges: ['GET / "" -> none "" malformed lost', 'GET / "" -> 200 "ok" whole'],
  },
  {
    name: 'a chunked response that breaks off before the next response',
    bytes: [
      ['>', lines('GET /1 HTTP/1.1', '', '')],
      ['<', lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '3', 'abc', '')],
      ['>', lines('GET /2 HTTP/1.1', '', '')],
      ['<', lines('HTTP/1.1 200 OK', 'Content-Length: 2', '', 'ok')],
    ],
    exchanges: ['GET /1 "" -> 200 "abc" lost', 'GET /2 "" -> 200 "ok" whole'],
  },
  {
    name: 'an upgrade to WebSocket',
    bytes: [
      ['>', lines('GET /ws HTTP/1.1', 'Upgrade: websocket', 'Connection: upgrade', '', '')],
      ['<', lines('HTTP/1.1 101 Switching Protocols', 'Upgrade: WebSocket', '', '\x81\x05hello')],
    ],
    exchanges: ['GET /ws "" -> 101 "" whole'],
    protocol: 'websocket',
  },
  {
    name: 'the watched side is the server',
    bytes: [['<', GET]],
    exchanges: [],
    protocol: 'server',
  },
  {
    name: 'the watched side is the server, seen from its response on',
    bytes: [['>', lines('HTTP/1.1 200 OK', 'Content-Length: 0', '', '')]],
    exchanges: [],
    protocol: 'server',
  },
];
