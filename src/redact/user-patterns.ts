import type { SecretPattern } from './redact-options.ts';
import { type CountRedaction, redactionToken } from './redaction-token.ts';

/** A user's pattern sees at most this much at once; a match does not reach from one piece into the next. */
const PIECE_CHARS = 4096;

/** Pieces of at most PIECE_CHARS, cut behind the last line break or blank where there is one. */
function* pieces(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + PIECE_CHARS, text.length);
    if (end < text.length) {
      const piece = text.slice(at, end);
      const cut = Math.max(piece.lastIndexOf('\n'), piece.lastIndexOf(' '));
      if (cut > 0) end = at + cut + 1;
    }
    yield text.slice(at, end);
    at = end;
  }
}

/** Builds the function that takes what the user's patterns match out of a text. The patterns have been validated. */
export function createUserRedaction(
  patterns: readonly SecretPattern[],
): (text: string, count: CountRedaction) => string {
  const compiled = patterns.map(({ name, pattern }) => ({ name, expression: new RegExp(pattern, 'g') }));
  if (compiled.length === 0) return (text) => text;
  return (text, count) => {
    let out = '';
    for (let piece of pieces(text)) {
      for (const { name, expression } of compiled) {
        const token = redactionToken(name);
        piece = piece.replace(expression, (match) => {
          if (match === '' || token.includes(match)) return match;
          count(name);
          return token;
        });
      }
      out += piece;
    }
    return out;
  };
}
