import fs from 'node:fs';
import path from 'node:path';

const SHELL = /^(ba|da|z|k|a)?sh$/;
const MAX_TEXT_BYTES = 64 * 1024;
const MAX_WORDS = 512;
/** What cannot be part of a path that is written plainly. */
const SEPARATORS = /[\s;&|()<>"'`$={}[\]]+/;

/** Whether a program reads commands: those it will start are in its arguments or its script. */
export function isShell(executable: string): boolean {
  return SHELL.test(path.basename(executable));
}

/** The words of a shell script that may be commands, each once; none of what is no text or cannot be read. */
export function wordsOfScript(file: string): readonly string[] {
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const bytes = Buffer.alloc(MAX_TEXT_BYTES);
    const text = bytes.subarray(0, fs.readSync(fd, bytes));
    return text.includes(0) ? [] : wordsOf(text.toString('utf8'));
  } catch {
    return [];
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** The words of a text, each once, without what begins as an option. */
export function wordsOf(text: string): readonly string[] {
  const words = text.split(SEPARATORS).filter((word) => word !== '' && !word.startsWith('-'));
  return [...new Set(words)].slice(0, MAX_WORDS);
}
