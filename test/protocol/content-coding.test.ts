import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import { decodeContent } from '../../src/protocol/content-coding.ts';

const MAX_BYTES = 1 << 20;
/** Random enough that a compressor needs several blocks, so that a prefix of its output says something. */
const TEXT = Buffer.from(
  Array.from({ length: 60_000 }, (_, index) => ((index * 2654435761) >>> 13).toString(36)).join(' '),
);

const CODINGS = {
  gzip: zlib.gzipSync(TEXT),
  'x-gzip': zlib.gzipSync(TEXT),
  deflate: zlib.deflateSync(TEXT),
  br: zlib.brotliCompressSync(TEXT, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
  zstd: zlib.zstdCompressSync(TEXT),
};

for (const [coding, compressed] of Object.entries(CODINGS)) {
  describe(coding, () => {
    test('is undone', () => {
      assert.deepEqual(decodeContent(compressed, [coding], MAX_BYTES), { data: TEXT, problem: undefined });
    });
    test('of a body that is cut short, the beginning is read', () => {
      const { data, problem } = decodeContent(compressed.subarray(0, compressed.length * 0.8), [coding], MAX_BYTES);
      assert.equal(problem, undefined);
      assert.ok(data.length > 1000 && data.length < TEXT.length, `${data.length} bytes`);
      assert.deepEqual(data, TEXT.subarray(0, data.length));
    });
    test('a bomb is told, not unpacked', () => {
      const { data, problem } = decodeContent(compressed, [coding], 1000);
      assert.deepEqual([data.length, problem], [0, 'too_large']);
    });
    test('an empty body is empty', () => {
      assert.deepEqual(decodeContent(Buffer.alloc(0), [coding], MAX_BYTES).problem, undefined);
    });
  });
}

test('deflate without zlib framing is read too', () => {
  assert.deepEqual(decodeContent(zlib.deflateRawSync(TEXT), ['deflate'], MAX_BYTES).data, TEXT);
});

test('several codings are undone from the last to the first', () => {
  const twice = zlib.brotliCompressSync(zlib.gzipSync(TEXT));
  assert.deepEqual(decodeContent(twice, ['gzip', 'br'], MAX_BYTES).data, TEXT);
});

test('members of gzip and frames of zstd are joined', () => {
  const [one, two] = [Buffer.from('one '), Buffer.from('two')];
  const members = Buffer.concat([zlib.gzipSync(one), zlib.gzipSync(two)]);
  assert.equal(decodeContent(members, ['gzip'], MAX_BYTES).data.toString(), 'one two');
  const frames = Buffer.concat([zlib.zstdCompressSync(one), zlib.zstdCompressSync(two)]);
  assert.equal(decodeContent(frames, ['zstd'], MAX_BYTES).data.toString(), 'one two');
});

test('an unknown coding, too many of them, and bytes that are not in it are told', () => {
  for (const codings of [['compress'], ['constructor'], ['gzip'], Array(9).fill('gzip')]) {
    assert.equal(decodeContent(TEXT, codings, MAX_BYTES).problem, 'decompression', codings.join());
  }
});

test('a body without coding is bounded as well', () => {
  assert.deepEqual(decodeContent(TEXT, [], MAX_BYTES).data, TEXT);
  assert.equal(decodeContent(TEXT, [], 10).problem, 'too_large');
});
