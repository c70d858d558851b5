import { argumentStrings, commandWords } from './command-words.ts';

/** What a tool call's arguments say about the effects it will have. */
export interface ToolEvidence {
  readonly strings: readonly string[];
  /** The words of each string, in order. */
  readonly sequences: readonly (readonly string[])[];
  readonly words: ReadonlySet<string>;
  /** Words that may name a file: with a slash, or an extension. */
  readonly paths: readonly string[];
  /** The last parts of `paths`. */
  readonly names: ReadonlySet<string>;
  /** Lower case, each with the ports that are given for it. */
  readonly hosts: ReadonlyMap<string, ReadonlySet<number>>;
  /** Something in it looks like a command, a path or an address: what matches nothing of it was not asked for. */
  readonly is_specific: boolean;
}

const MAX_NESTED = 3;
/** Of all strings together; what a model wrote beyond that is not compared. */
const MAX_WORDS = 1024;

/** Reads what a model wrote as a tool call's arguments: parsed JSON or text. */
export function toolEvidence(args: unknown): ToolEvidence {
  const strings = argumentStrings(args);
  const sequences: (readonly string[])[] = [];
  let left = MAX_WORDS;
  for (const text of strings) {
    const sequence = left > 0 ? flatWords(text).slice(0, left) : [];
    left -= sequence.length;
    sequences.push(sequence);
  }
  const words = new Set(sequences.flat());
  const paths = [...words].filter((word) => !word.includes('://') && (word.includes('/') || /\w\.\w{1,8}$/.test(word)));
  const hosts = hostsOf(words);
  return {
    strings,
    sequences,
    words,
    paths,
    names: new Set(paths.map(lastPart)),
    hosts,
    is_specific: paths.length > 0 || hosts.size > 0 || namesCommand(args),
  };
}

/** The words of a text, and of the texts that were quoted in it. */
export function flatWords(text: string, depth = 0): readonly string[] {
  return commandWords(text).flatMap((word) =>
    depth < MAX_NESTED && /\s/.test(word) && word !== text ? flatWords(word, depth + 1) : [word],
  );
}

export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/', path.length - 2) + 1).replace(/\/$/, '');
}

function hostsOf(words: Iterable<string>): ReadonlyMap<string, ReadonlySet<number>> {
  const hosts = new Map<string, Set<number>>();
  for (const word of words) {
    const [host, port] = hostOf(word) ?? [];
    if (host === undefined) continue;
    const ports = hosts.get(host) ?? new Set();
    if (port !== undefined) ports.add(port);
    hosts.set(host, ports);
  }
  return hosts;
}

function hostOf(word: string): readonly [host: string, port: number | undefined] | undefined {
  const match =
    /^(?:[a-z][a-z\d+.-]*:\/\/)?(?:[^@/]*@)?(\[[\da-f:.]+\]|[a-z\d-]+(?:\.[a-z\d-]+)+|localhost)(?::(\d{1,5}))?(?:[/?#]|$)/i.exec(
      word,
    );
  if (match === null) return undefined;
  const [, host = '', port] = match;
  return [host.replace(/^\[|\]$/g, '').toLowerCase(), port === undefined ? undefined : Number(port)];
}

function namesCommand(args: unknown): boolean {
  if (typeof args !== 'object' || args === null) return false;
  return Object.keys(args).some((key) => /^(command|cmd|commands|script|code|shell|argv|args|bash)$/i.test(key));
}
