/** Longer commands are compared by their beginning. */
const MAX_TEXT_CHARS = 16_384;
const MAX_WORDS = 512;

/**
 * Splits text into words much as a shell does: quotes and backslashes are taken away, operators end a word. Never
 * evaluates anything; an open quote ends with the text.
 */
export function commandWords(text: string): readonly string[] {
  const words: string[] = [];
  let word = '';
  let has_word = false;
  let quote = '';
  const end = () => {
    if (has_word) words.push(word);
    word = '';
    has_word = false;
  };
  const length = Math.min(text.length, MAX_TEXT_CHARS);
  for (let i = 0; i < length && words.length < MAX_WORDS; i++) {
    const character = text[i] as string;
    if (quote !== '') {
      if (character === quote) quote = '';
      else if (character === '\\' && quote === '"' && i + 1 < length) word += text[++i];
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      has_word = true;
    } else if (character === '\\' && i + 1 < length) {
      word += text[++i];
      has_word = true;
    } else if (/[\s;|&<>()`]/.test(character)) end();
    else {
      word += character;
      has_word = true;
    }
  }
  end();
  return words;
}

/** Whether a shell has only one command to start for a text, as far as its operators tell. */
export function isSingleCommand(text: string): boolean {
  const bare = text
    .slice(0, MAX_TEXT_CHARS)
    .trim()
    .replace(/\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"`$\\]|\$(?!\())*"|\d*[<>]&[\d-]*|&>/g, ' ');
  return !/[;|&\n`]|[$<>]\(/.test(bare.replace(/[;&\s]+$/, ''));
}

/** The strings in a tool call's arguments, wherever they are in it. */
export function argumentStrings(value: unknown): readonly string[] {
  const strings: string[] = [];
  const pending: unknown[] = [value];
  for (let seen = 0; pending.length > 0 && seen < 4096 && strings.length < 256; seen++) {
    const next = pending.shift();
    if (typeof next === 'string') strings.push(next.slice(0, MAX_TEXT_CHARS));
    else if (typeof next === 'object' && next !== null) pending.push(...Object.values(next).slice(0, 256));
  }
  return strings;
}

/** How much it says that a word is in both a command line and a tool call's arguments; 0: nothing. */
export function wordWeight(word: string): number {
  if (word.length < 2 || /^[\W\d_]{1,3}$/.test(word)) return 0;
  if (word.startsWith('-')) return 0.25;
  if (/^[a-z][a-z\d+.-]*:\/\/./i.test(word)) return 4;
  if (word.includes('/')) return 3;
  if (COMMON.has(word)) return 0.25;
  if (/\.\w{1,8}$/.test(word)) return 3;
  return word.length >= 3 ? 1.5 : 0.75;
}

const COMMON = new Set(
  'sh bash dash zsh env sudo exec cd ls cat echo printf grep head tail sort test true false set export if then else fi for do done while in and or not the to of is run get node python python3 npm npx git all'.split(
    ' ',
  ),
);
