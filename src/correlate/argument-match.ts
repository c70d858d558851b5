import { wordWeight } from './command-words.ts';
import { flatWords, lastPart, type ToolEvidence } from './tool-evidence.ts';

/** How well an effect fits a tool call's arguments. */
export interface ArgumentMatch {
  /** 0..1; only what is a real match is given out at all. */
  readonly score: number;
  /** What of the arguments it was. Content. */
  readonly matched: string;
}

const MIN_COVERAGE = 0.6;
const MIN_WEIGHT = 1.5;
const MAX_MATCHED_CHARS = 1024;
const MAX_COMMAND_WORDS = 256;
const LOOPBACK = /^(?:127\.[\d.]+|::1|::ffff:127\.[\d.]+)$/;
const SHELL = /^(?:sh|bash|dash|zsh|ash|ksh|fish|busybox)$/;

/** The command text of `sh -c TEXT`; undefined for what is no shell. */
export function shellScript(args: readonly string[]): string | undefined {
  if (!SHELL.test(lastPart(args[0] ?? '').replace(/^-/, ''))) return undefined;
  const flag = args.findIndex((arg, i) => i > 0 && /^-[a-z]*c$/.test(arg));
  return flag === -1 ? undefined : args.slice(flag + 1).find((arg) => !arg.startsWith('-'));
}

/** Whether a process with this command line is what a tool call asked for. */
export function matchCommand(args: readonly string[], evidence: ToolEvidence): ArgumentMatch | undefined {
  const script = shellScript(args);
  const words = (script === undefined ? argvWords(args) : flatWords(script)).slice(0, MAX_COMMAND_WORDS);
  if (words.length === 0) return undefined;
  for (const [i, sequence] of evidence.sequences.entries()) {
    if (sequence.length > 0 && sequence.length === words.length && holds(words, sequence)) {
      return { score: 1, matched: cut(evidence.strings[i] ?? '') };
    }
  }
  return contained(words, evidence, script !== undefined) ?? covered(words, evidence);
}

/** Whether `command` is a part of the script that the shell `args` runs. */
export function runsLater(args: readonly string[], command: readonly string[]): boolean {
  const script = shellScript(args);
  return script !== undefined && holds(flatWords(script), argvWords(command).slice(0, MAX_COMMAND_WORDS));
}

/** Whether an agent's own operation on a file is what a tool call asked for. */
export function matchPath(path: string, evidence: ToolEvidence): ArgumentMatch | undefined {
  const name = lastPart(path);
  if (evidence.names.has(name)) {
    for (const word of evidence.paths) if (isSamePath(path, word)) return { score: 0.9, matched: cut(word) };
  }
  for (const word of evidence.paths) {
    if (word.length > 4 && word.startsWith('/') && path.startsWith(word.endsWith('/') ? word : `${word}/`)) {
      return { score: 0.6, matched: cut(word) };
    }
  }
  return undefined;
}

/** Whether an agent's own connection is what a tool call asked for. `names` are the peer's: address, DNS, SNI. */
export function matchHost(
  names: readonly (string | undefined)[],
  port: number,
  { hosts }: ToolEvidence,
): ArgumentMatch | undefined {
  for (const name of names) {
    if (name === undefined) continue;
    const host = name.toLowerCase();
    const known = hosts.has(host) ? host : LOOPBACK.test(host) ? 'localhost' : '';
    const ports = hosts.get(known);
    if (ports === undefined || (ports.size > 0 && !ports.has(port))) continue;
    return { score: ports.size > 0 ? 0.95 : 0.9, matched: cut(ports.size > 0 ? `${known}:${port}` : known) };
  }
  return undefined;
}

/** One is within the other, word for word: a harness wraps commands, and runs the parts of one by itself. */
function contained(words: readonly string[], evidence: ToolEvidence, is_script: boolean): ArgumentMatch | undefined {
  let best: ArgumentMatch | undefined;
  for (const [i, sequence] of evidence.sequences.entries()) {
    const [long, short] = sequence.length > words.length ? [sequence, words] : [words, sequence];
    const weight = weigh(short);
    const is_enough = weight >= MIN_WEIGHT || (is_script && long === words && short.length > 0);
    if (!is_enough || !holds(long, short)) continue;
    const score = weight >= MIN_WEIGHT ? 0.9 : 0.6;
    const matched = long === words ? (evidence.strings[i] ?? '') : words.join(' ');
    // Among the commands a wrapper may hold, the longest says most.
    if (best === undefined || score > best.score || matched.length > best.matched.length) {
      best = { score, matched: cut(matched) };
    }
  }
  return best;
}

/** Most of what the command line says is in the arguments, in whatever order. */
function covered(words: readonly string[], evidence: ToolEvidence): ArgumentMatch | undefined {
  const found: string[] = [];
  let found_weight = 0;
  let all_weight = 0;
  for (const word of new Set(words)) {
    const weight = wordWeight(word);
    all_weight += weight;
    if (weight === 0 || !isNamed(word, evidence)) continue;
    found_weight += weight;
    found.push(word);
  }
  const coverage = all_weight === 0 ? 0 : found_weight / all_weight;
  if (coverage < MIN_COVERAGE || found_weight < MIN_WEIGHT) return undefined;
  return { score: Math.round(coverage * 85) / 100, matched: cut(found.join(' ')) };
}

function isNamed(word: string, evidence: ToolEvidence): boolean {
  if (evidence.words.has(word)) return true;
  const value = /^--?[\w-]+=(.+)$/.exec(word)?.[1];
  if (value !== undefined && evidence.words.has(value)) return true;
  if (!word.includes('/') && !/\.\w{1,8}$/.test(word)) return false;
  if (evidence.names.has(lastPart(word))) return evidence.paths.some((path) => isSamePath(word, path));
  return word.startsWith('/') && evidence.words.has(lastPart(word));
}

/** The same file as far as one can tell: one of the two may be relative. */
function isSamePath(a: string, b: string): boolean {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const tail = short.replace(/^(?:\.\/)+|^~\//, '');
  return (
    long === short || (tail !== '' && !tail.startsWith('/') && !tail.startsWith('..') && long.endsWith(`/${tail}`))
  );
}

function argvWords(args: readonly string[]): readonly string[] {
  return args.flatMap((arg, i) =>
    i === 0 ? [lastPart(arg)] : /\s/.test(arg) ? flatWords(arg) : arg === '' ? [] : [arg],
  );
}

/** `short` is in `long` without a gap. A program's full path and its name are the same. */
function holds(long: readonly string[], short: readonly string[]): boolean {
  for (let start = 0; start + short.length <= long.length; start++) {
    if (short.every((word, i) => isSameWord(word, long[start + i] as string, i === 0))) return true;
  }
  return false;
}

function isSameWord(a: string, b: string, is_program: boolean): boolean {
  return a === b || (is_program && a.includes('/') !== b.includes('/') && lastPart(a) === lastPart(b));
}

function weigh(words: readonly string[]): number {
  let weight = 0;
  for (const word of new Set(words)) weight += wordWeight(word);
  return weight;
}

function cut(text: string): string {
  return text.slice(0, MAX_MATCHED_CHARS);
}
