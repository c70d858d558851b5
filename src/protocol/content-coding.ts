import zlib from 'node:zlib';

export interface DecodedContent {
  readonly data: Buffer;
  /** Why `data` is not all, or nothing. */
  readonly problem: 'too_large' | 'decompression' | undefined;
}

type Decompress = (data: Buffer, max_bytes: number) => Buffer;

const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = zlib.constants;
const MAX_CODINGS = 4;
const EMPTY = Buffer.alloc(0);

const gunzip: Decompress = (data, max_bytes) =>
  zlib.gunzipSync(data, { finishFlush: Z_SYNC_FLUSH, maxOutputLength: max_bytes });

/** `deflate` means zlib's format (RFC 9110 section 8.4.1.2), but bare deflate is sent under that name too. */
const inflate: Decompress = (data, max_bytes) => {
  const options = { finishFlush: Z_SYNC_FLUSH, maxOutputLength: max_bytes };
  const is_zlib = ((data[0] ?? 8) & 15) === 8 && data.length > 1 && data.readUInt16BE(0) % 31 === 0;
  return is_zlib ? zlib.inflateSync(data, options) : zlib.inflateRawSync(data, options);
};

const unbrotli: Decompress = (data, max_bytes) =>
  zlib.brotliDecompressSync(data, { finishFlush: BROTLI_OPERATION_FLUSH, maxOutputLength: max_bytes });

/** A body may be several frames (RFC 8878 section 3); node reads one at a time. */
const unzstd: Decompress = (data, max_bytes) => {
  const frames: Buffer[] = [];
  let left_bytes = max_bytes;
  for (let rest = data; rest.length > 0 && left_bytes > 0; ) {
    const options = { finishFlush: ZSTD_e_flush, maxOutputLength: left_bytes, info: true };
    const { buffer, engine } = zlib.zstdDecompressSync(rest, options) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    frames.push(buffer);
    left_bytes -= buffer.length;
    if (engine.bytesWritten === 0) break;
    rest = rest.subarray(engine.bytesWritten);
  }
  return frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames);
};

const DECOMPRESS: Readonly<Record<string, Decompress | undefined>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  deflate: inflate,
  br: unbrotli,
  zstd: unzstd,
};

/**
 * Undoes the codings of a body, which are named in the order they were applied (RFC 9110 section 8.4). Of a body that is
 * cut short, what can be known of it is given. Never more than `max_bytes`: a body that would be more gives nothing.
 */
export function decodeContent(body: Buffer, codings: readonly string[], max_bytes: number): DecodedContent {
  if (codings.length > MAX_CODINGS) return { data: EMPTY, problem: 'decompression' };
  let data = body;
  for (const coding of codings.toReversed()) {
    const decompress = Object.hasOwn(DECOMPRESS, coding) ? DECOMPRESS[coding] : undefined;
    if (decompress === undefined) return { data: EMPTY, problem: 'decompression' };
    try {
      data = data.length === 0 ? data : decompress(data, max_bytes);
    } catch (error) {
      const is_too_large = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
      return { data: EMPTY, problem: is_too_large ? 'too_large' : 'decompression' };
    }
  }
  return data.length > max_bytes ? { data: EMPTY, problem: 'too_large' } : { data, problem: undefined };
}
