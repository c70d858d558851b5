import { fit, textWidth } from './printable-text.ts';

export type Style = 'plain' | 'dim' | 'bold' | 'agent' | 'model' | 'tool' | 'command' | 'effect' | 'error' | 'warning';

/** A piece of a line: printable text in one style. */
export interface Piece {
  readonly text: string;
  readonly style: Style;
}

/** What one line shows, from what must stay (the marks, the duration) to what may be cut (the detail, then the title). */
export interface Line {
  readonly indent: string;
  readonly title: readonly Piece[];
  readonly detail: readonly Piece[];
  readonly marks: readonly Piece[];
  /** Stands at the right edge. */
  readonly right: string;
}

export interface Look {
  readonly color: boolean;
  /** Columns; Infinity where nothing is to be cut, as for a file. */
  readonly width: number;
  /** With prompts, answers and arguments. */
  readonly content: boolean;
}

/** ECMA-48 SGR; the basic colours, which every terminal theme makes readable. */
const CODES: Readonly<Record<Style, string>> = {
  plain: '',
  dim: '2',
  bold: '1',
  agent: '1;35',
  model: '1;36',
  tool: '1;33',
  command: '32',
  effect: '34',
  error: '1;31',
  warning: '1;33',
};
const GAP = '  ';
const MIN_COLUMNS = 40;
const MAX_COLUMNS = 132;
const MIN_TITLE_COLUMNS = 12;

export function renderLine(line: Line, { color, width }: Look): string {
  const columns = width === Number.POSITIVE_INFINITY ? width : Math.min(Math.max(width, MIN_COLUMNS), MAX_COLUMNS);
  const right_columns = line.right === '' ? 0 : textWidth(line.right) + GAP.length;
  const left_columns = columns - right_columns;
  const marks = line.marks.flatMap((mark) => [gap, mark]);
  const marks_columns = widthOf(marks);
  const indent = fit(line.indent, Math.max(left_columns - marks_columns - MIN_TITLE_COLUMNS, 0));
  const room = Math.max(left_columns - textWidth(indent) - marks_columns, MIN_TITLE_COLUMNS);
  const body = line.detail.length === 0 ? line.title : [...line.title, gap, ...line.detail];
  const pieces = [{ text: indent, style: 'dim' } as const, ...fitPieces(body, room), ...marks];
  const free_columns = columns - widthOf(pieces) - textWidth(line.right);
  const padding = line.right === '' ? '' : Number.isFinite(columns) ? ' '.repeat(Math.max(free_columns, 1)) : GAP;
  return `${[...pieces, { text: `${padding}${line.right}`, style: 'dim' } as const].map((piece) => paint(piece, color)).join('')}\n`;
}

const gap: Piece = { text: GAP, style: 'plain' };

function fitPieces(pieces: readonly Piece[], max_columns: number): Piece[] {
  const fitted: Piece[] = [];
  let left_columns = max_columns;
  for (const { text, style } of pieces) {
    const part = fit(text, left_columns);
    if (part !== '') fitted.push({ text: part, style });
    if (part !== text) break;
    left_columns -= textWidth(part);
  }
  return fitted;
}

function widthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((columns, { text }) => columns + textWidth(text), 0);
}

function paint({ text, style }: Piece, color: boolean): string {
  return color && CODES[style] !== '' && text.trim() !== '' ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
}
