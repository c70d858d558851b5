import {
  CLIENT_BEGIN,
  data,
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  frame,
  goaway,
  headers,
  indexedFieldBlock,
  PADDED,
  PREFACE,
  PRIORITY,
  padded,
  requestHeaders,
  reset,
  SERVER_BEGIN,
  SETTINGS_ACK,
  settings,
} from './http2-bytes.ts';

/** A connection as frames, and what is read of it. `>` is what the client writes, `<` what it reads, in turn. */
export interface Http2Case {
  readonly name: string;
  readonly frames: readonly (readonly ['>' | '<', ...(readonly Buffer[])])[];
  readonly exchanges: readonly string[];
  readonly protocol?: string;
}

const OK = { ':status': '200' };
const BEGIN = [
  ['>', CLIENT_BEGIN],
  ['<', SERVER_BEGIN],
  ['>', SETTINGS_ACK],
] as const;
const GET = (stream: number, path: string): Buffer =>
  requestHeaders(stream, { ':method': 'GET', ':path': path }, END_HEADERS | END_STREAM);

export const HTTP2_CASES: readonly Http2Case[] = [
  {
    name: 'a request and a response with bodies',
    frames: [
      ...BEGIN,
      ['>', requestHeaders(1), data(1, 'hel'), data(1, 'lo', END_STREAM)],
      ['<', headers(1, OK), data(1, 'yo'), data(1, 'u', END_STREAM)],
    ],
    exchanges: ['POST /v1/chat "hello" -> 200 "you" whole'],
  },
  {
    name: 'messages without bodies',
    frames: [...BEGIN, ['>', GET(1, '/1')], ['<', headers(1, { ':status': '204' }, END_HEADERS | END_STREAM)]],
    exchanges: ['GET /1 "" -> 204 "" whole'],
  },
  {
    name: 'an end in an empty DATA frame',
    frames: [
      ...BEGIN,
      ['>', requestHeaders(1), data(1, 'a'), data(1, '', END_STREAM)],
      ['<', headers(1, OK), data(1, 'A'), data(1, '', END_STREAM)],
    ],
    exchanges: ['POST /v1/chat "a" -> 200 "A" whole'],
  },
  {
    name: 'streams that are interleaved, and end in another order',
    frames: [
      ...BEGIN,
      ['>', requestHeaders(1, { ':path': '/1' }), requestHeaders(3, { ':path': '/3' }), data(3, 'c'), data(1, 'a')],
      ['>', data(1, 'b', END_STREAM), data(3, 'd', END_STREAM), GET(5, '/5')],
      ['<', headers(5, OK), headers(3, OK), headers(1, OK), data(1, '1'), data(3, '3'), data(5, '5', END_STREAM)],
      ['<', data(1, '1'), data(3, '3', END_STREAM), data(1, '1', END_STREAM)],
    ],
    exchanges: ['POST /1 "ab" -> 200 "111" whole', 'POST /3 "cd" -> 200 "33" whole', 'GET /5 "" -> 200 "5" whole'],
  },
  {
    name: 'padding and priority',
    frames: [
      ...BEGIN,
      [
        '>',
        frame(
          1,
          END_HEADERS | PADDED | PRIORITY,
          1,
          padded(Buffer.concat([Buffer.alloc(5), fieldBlock({ ':method': 'PUT', ':path': '/p' })]), 7),
        ),
        frame(2, 0, 1, Buffer.alloc(5)),
        data(1, padded('body', 200), PADDED),
        data(1, padded('', 0), PADDED),
        data(1, padded('!', 1), PADDED | END_STREAM),
      ],
      [
        '<',
        frame(1, END_HEADERS | PADDED, 1, padded(fieldBlock(OK), 1)),
        data(1, padded('ok', 9), PADDED | END_STREAM),
      ],
    ],
    exchanges: ['PUT /p "body!" -> 200 "ok" whole'],
  },
  {
    name: 'heads in several frames',
    frames: [
      ...BEGIN,
      [
        '>',
        frame(1, END_STREAM, 1, fieldBlock({ ':method': 'GET' })),
        frame(9, 0, 1, fieldBlock({ ':path': '/long' }).subarray(0, 4)),
        frame(9, 0, 1),
        frame(9, END_HEADERS, 1, fieldBlock({ ':path': '/long' }).subarray(4)),
      ],
      ['<', frame(1, 0, 1, fieldBlock(OK)), frame(9, END_HEADERS, 1, fieldBlock({ a: 'b' })), data(1, 'x', END_STREAM)],
    ],
    exchanges: ['GET /long "" -> 200 "x" whole'],
  },
  {
    name: 'interim responses are no response, trailers end one',
    frames: [
      ...BEGIN,
      ['>', requestHeaders(1), data(1, 'a'), headers(1, { checksum: '1' }, END_HEADERS | END_STREAM)],
      ['<', headers(1, { ':status': '100' }), headers(1, { ':status': '103', link: 'x' }), headers(1, OK)],
      ['<', data(1, 'A'), headers(1, { checksum: '2' }, END_HEADERS | END_STREAM)],
    ],
    exchanges: ['POST /v1/chat "a" -> 200 "A" whole'],
  },
  {
    name: 'fields that were sent before, by index',
    frames: [
      ...BEGIN,
      ['>', frame(1, END_HEADERS | END_STREAM, 1, indexedFieldBlock({ ':method': 'GET', ':path': '/again' }))],
      ['<', frame(1, END_HEADERS | END_STREAM, 1, indexedFieldBlock({ ':status': '429' }))],
      ['>', frame(1, END_HEADERS | END_STREAM, 3, Buffer.from([0xbf, 0xbe]))],
      ['<', frame(1, END_HEADERS | END_STREAM, 3, Buffer.from([0xbe]))],
    ],
    exchanges: ['GET /again "" -> 429 "" whole', 'GET /again "" -> 429 "" whole'],
  },
  {
    name: 'a header table whose size the receiver changes, once that is acknowledged',
    frames: [
      ['>', PREFACE, settings({ 1: 8192 })],
      ['<', settings(), SETTINGS_ACK],
      ['>', SETTINGS_ACK, GET(1, '/1')],
      ['<', frame(1, END_HEADERS | END_STREAM, 1, Buffer.concat([Buffer.from([0x3f, 0xe1, 0x3f]), fieldBlock(OK)]))],
    ],
    exchanges: ['GET /1 "" -> 200 "" whole'],
  },
  {
    name: 'a header table made larger than was acknowledged',
    frames: [
      ['>', PREFACE, settings({ 1: 8192 })],
      ['<', settings()],
      ['>', SETTINGS_ACK, GET(1, '/1')],
      ['<', frame(1, END_HEADERS | END_STREAM, 1, Buffer.concat([Buffer.from([0x3f, 0xe1, 0x3f]), fieldBlock(OK)]))],
    ],
    exchanges: ['GET /1 "" -> none "" malformed lost'],
  },
  {
    name: 'pushed responses are nobody’s',
    frames: [
      ...BEGIN,
      ['>', GET(1, '/1')],
      [
        '<',
        frame(5, END_HEADERS, 1, Buffer.concat([Buffer.from([0, 0, 0, 2]), indexedFieldBlock({ ':path': '/pushed' })])),
        headers(2, OK),
        data(2, 'pushed', END_STREAM),
        frame(1, END_HEADERS, 1, indexedFieldBlock(OK)),
        data(1, 'own', END_STREAM),
      ],
    ],
    exchanges: ['GET /1 "" -> 200 "own" whole'],
  },
  {
    name: 'frames that say nothing of messages, and unknown ones',
    frames: [
      ...BEGIN,
      ['>', frame(6, 0, 0, 'pingping'), GET(1, '/1'), frame(0xb7, 0xff, 9, 'grease')],
      ['<', frame(6, 1, 0, 'pingping'), frame(0x0a, 0, 0, 'altsvc'), headers(1, OK), frame(8, 0, 1, 'wind')],
      ['<', data(1, 'x', END_STREAM)],
    ],
    exchanges: ['GET /1 "" -> 200 "x" whole'],
  },
  {
    name: 'a response that the server resets',
    frames: [
      ...BEGIN,
      ['>', GET(1, '/1'), GET(3, '/3')],
      ['<', headers(1, OK), data(1, 'half'), reset(1, 2), reset(3, 7)],
    ],
    exchanges: [
      'GET /1 "" -> 200 "half" cut (the server reset the stream (INTERNAL_ERROR))',
      'GET /3 "" -> none "" cut (the server reset the stream (REFUSED_STREAM))',
    ],
  },
  {
    name: 'a response that the client cancels',
    frames: [
      ...BEGIN,
      ['>', GET(1, '/1')],
      ['<', headers(1, OK), data(1, 'half')],
      ['>', reset(1, 8)],
      ['<', data(1, 'late', END_STREAM)],
    ],
    exchanges: ['GET /1 "" -> 200 "half" cut (the client cancelled the stream (CANCEL))'],
  },
  {
    name: 'a whole response before the whole request, which the server no longer wants',
    frames: [
      ...BEGIN,
      ['>', requestHeaders(1), data(1, 'long')],
      ['<', headers(1, { ':status': '413' }), data(1, 'no', END_STREAM), reset(1, 0)],
      ['>', data(1, 'er')],
    ],
    exchanges: ['POST /v1/chat "long" -> 413 "no" whole'],
  },
  {
    name: 'a server that goes away',
    frames: [
      ...BEGIN,
      ['>', GET(1, '/1'), GET(3, '/3')],
      ['<', goaway(1, 0), headers(1, OK), data(1, 'last', END_STREAM)],
    ],
    exchanges: ['GET /1 "" -> 200 "last" whole', 'GET /3 "" -> none "" cut (the server went away (NO_ERROR))'],
  },
  {
    name: 'a connection closed in the middle',
    frames: [...BEGIN, ['>', GET(1, '/1'), requestHeaders(3)], ['<', headers(1, OK), data(1, 'half')]],
    exchanges: ['GET /1 "" -> 200 "half" cut', 'POST /v1/chat "" -> none "" cut'],
  },
  {
    name: 'a stream that carries no messages',
    frames: [
      ...BEGIN,
      ['>', requestHeaders(1, { ':method': 'CONNECT', ':protocol': 'websocket' })],
      ['<', headers(1, OK)],
    ],
    exchanges: [],
    protocol: 'http2',
  },
  {
    name: 'the watched side is the server',
    frames: [['<', CLIENT_BEGIN, GET(1, '/1')]],
    exchanges: [],
    protocol: 'server',
  },
];
