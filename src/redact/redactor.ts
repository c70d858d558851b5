import { redactCommandArgs, redactCommandLines } from './command-secrets.ts';
import { redactHttpCredentials } from './http-credentials.ts';
import { redactNamedSecrets, redactNamedValue } from './named-secrets.ts';
import { redactPrivateKeys } from './private-keys.ts';
import type { RedactOptions } from './redact-options.ts';
import type { CountRedaction } from './redaction-token.ts';
import { redactionToken } from './redaction-token.ts';
import { isSecretName } from './secret-name.ts';
import { createTextCache } from './text-cache.ts';
import { redactTokenShapes } from './token-shapes.ts';
import { redactToldSecrets } from './told-secrets.ts';
import { redactUrlSecrets } from './url-secrets.ts';
import { createUserRedaction } from './user-patterns.ts';
import { redactXmlSecrets } from './xml-secrets.ts';

/**
 * Takes secrets out, each replaced by `[REDACTED:<kind>]`, so that equal places stay equal. Never throws; time is linear
 * in the length of the input; doing it again changes nothing.
 */
export interface Redactor {
  /** Any text: prose, code, headers, a URL, a path, a line of shell, JSON, JSON inside JSON. */
  text(text: string): string;
  /** An argument vector; knows flags that are followed by a secret. Same length. */
  args(args: readonly string[]): readonly string[];
  /** Parsed JSON: same structure, secrets out of its strings, also those only their key betrays. */
  value(value: unknown): unknown;
}

/** Texts shorter than this are cheaper to redact than to remember. */
const CACHED_CHARS = 256;
/** One replacement can bring another pattern into its own; a second round almost always changes nothing. */
const ROUNDS = 6;
const DEPTH_LIMIT = 64;
/** Where an object says the value of what it is about. */
const VALUES = new Set(['value', 'default', 'const', 'example']);

const FLAG = /^--?([A-Za-z][\w.-]{1,63})$/;
const ASSIGNMENT = /^(-{0,2}([A-Za-z_][\w.-]{1,63})=)(.+)$/s;

/** Builds a redactor. `count` is told the kind of each secret taken out. */
export function createRedactor(options: RedactOptions, count: CountRedaction = () => {}): Redactor {
  const redactUserPatterns = createUserRedaction(options.patterns);
  const cache = createTextCache(options.cache_chars);

  function redactOnce(text: string, add: CountRedaction): string {
    let out = redactPrivateKeys(text, add);
    out = redactTokenShapes(out, add);
    out = redactUserPatterns(out, add);
    out = redactUrlSecrets(out, add);
    out = redactHttpCredentials(out, add);
    out = redactXmlSecrets(out, add);
    out = redactToldSecrets(out, add);
    out = redactCommandLines(out, add);
    return redactNamedSecrets(out, add);
  }

  function redactFully(text: string, add: CountRedaction): string {
    let out = text;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const next = redactOnce(out, add);
        if (next === out) break;
        out = next;
      }
      return out;
    } catch {
      // The engine for regular expressions ran out of stack: what cannot be searched is not let through.
      add('unreadable');
      return redactionToken('unreadable');
    }
  }

  function redactText(text: string): string {
    if (text.length < 6) return text;
    if (text.length < CACHED_CHARS) return redactFully(text, count);
    let result = cache.get(text);
    if (result === undefined) {
      const kinds: string[] = [];
      result = { text: redactFully(text, (kind) => kinds.push(kind)), kinds };
      cache.set(text, result);
    }
    for (const kind of result.kinds) count(kind);
    return result.text;
  }

  function redactArgs(args: readonly string[]): readonly string[] {
    const out = redactCommandArgs(args, count).map(redactText);
    for (let i = 0; i < out.length; i++) {
      const arg = out[i] ?? '';
      const flag = FLAG.exec(arg)?.[1];
      const value = out[i + 1];
      if (flag !== undefined && value !== undefined && !value.startsWith('-') && isSecretName(flag)) {
        out[i + 1] = redactNamedValue(flag, value, count);
      }
      const [, start = '', name = '', assigned = ''] = ASSIGNMENT.exec(arg) ?? [];
      const isScript = /^-\w*c$/.test(args[i - 1] ?? '');
      if (isSecretName(name) && !isScript) out[i] = start + redactNamedValue(name, assigned, count);
    }
    return out.some((arg, i) => arg !== args[i]) ? out : args;
  }

  function redactEntry(key: string, value: unknown, named: string | undefined, depth: number): unknown {
    if (typeof value !== 'string') return redactValue(value, depth, isSecretName(key) ? key : undefined);
    const redacted = redactText(value);
    if (isSecretName(key)) return redactNamedValue(key, redacted, count);
    return named !== undefined && VALUES.has(key) ? redactNamedValue(named, redacted, count) : redacted;
  }

  /** `owner`: the secret's name under which an object stands, as in a schema: `password: { default: '...' }`. */
  function redactValue(value: unknown, depth: number, owner?: string): unknown {
    if (typeof value === 'string') return redactText(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= DEPTH_LIMIT) {
      count('too_deep');
      return redactionToken('too_deep');
    }
    if (Array.isArray(value)) {
      if (value.length > 0 && value.every((item) => typeof item === 'string')) return redactArgs(value);
      const items = value.map((item) => redactValue(item, depth + 1));
      return items.some((item, i) => item !== value[i]) ? items : value;
    }
    const entries = Object.entries(value);
    // { name: 'DB_PASSWORD', value: '...' }, as Kubernetes and many tools write environments and headers.
    const label = entries.find(([key, name]) => (key === 'name' || key === 'key') && typeof name === 'string')?.[1];
    const named = typeof label === 'string' && isSecretName(label) ? label : owner;
    let changed = false;
    const out = entries.map(([key, item]) => {
      const newKey = redactText(key);
      const newItem = redactEntry(key, item, named, depth + 1);
      changed ||= newKey !== key || newItem !== item;
      return [newKey, newItem] as const;
    });
    return changed ? Object.fromEntries(out) : value;
  }

  return { text: redactText, args: redactArgs, value: (value) => redactValue(value, 0) };
}
