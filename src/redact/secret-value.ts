import { isRedactionToken } from './redaction-token.ts';

/** How a value is written: `"x"`, `name=x`, `--name x`, or `name: x` and `name = x` (where prose and code abound). */
export type ValueForm = 'quoted' | 'tight' | 'loose';

/** Nothing of this length is a placeholder, a type or an expression. */
const LONG_CHARS = 4096;

/** Stands for a value that is elsewhere: `$NAME`, `${...}`, `$(...)`, `{{...}}`, `{name}`, `<name>`, `%NAME%`, `***`. */
const REFERENCE =
  /^(?:\$\{[^{}]{0,200}\}?|\$[A-Z_][A-Z0-9_]{0,64}|\$\(.{0,400}|\{\{[^{}]{0,200}(?:\}\})?|\{[\w.]{1,64}\}?|<[^<>]{0,64}>|%\w{1,64}%|%[sdrqv]|\$|\*+|\.{2,})$/s;

const ORDINARY_WORDS = new Set(
  `null none nil undefined true false yes no on off string str text bytes number int integer float boolean bool any unknown
  object optional required never void array list dict map buffer uint8array self this await new function async lambda`.split(
    /\s+/,
  ),
);

/** `getToken(`, `os.environ[`: code that fetches a value, up to and with its bracket. */
const CALL = /^[A-Za-z_$][A-Za-z_.$]{1,64}[([]/;
const MEMBER_OF_SETTINGS =
  /^(?:process\.env|os\.environ|import\.meta|env|self|this|config|settings|args|opts|options|req|request|ctx|props|state)\.\w/;
const IDENTIFIER_PATH = /^[A-Za-z_$][\w.$]{0,128}$/;

/** The value only repeats its name (`password=password`, `token: AuthToken`, `api_key=settings.api_key`). */
function repeatsName(name: string, value: string): boolean {
  const base = (name.split(/[^A-Za-z0-9]|(?<=[a-z])(?=[A-Z])/).at(-1) ?? name).toLowerCase();
  const flat = value.replaceAll('_', '').toLowerCase();
  if (flat === base || flat === name.replace(/[-_.]/g, '').toLowerCase()) return true;
  if (!IDENTIFIER_PATH.test(value) || !flat.endsWith(base)) return false;
  return /[._]/.test(value) || /[a-z][A-Z]/.test(value);
}

/** Where code that fetches a value ends (after its bracket); 0 when `value` is no such code. */
export function callLength(value: string): number {
  return CALL.exec(value)?.[0].length ?? 0;
}

/**
 * Whether a value that stands behind a secret's name is a secret, not a type, a placeholder or an expression. `shell`:
 * the name is an environment variable or a flag, so the value cannot be code.
 */
export function isSecretValue(name: string, value: string, form: ValueForm, shell: boolean): boolean {
  if (value.length > LONG_CHARS) return !/^_?auth$/i.test(name);
  if (value === '' || isRedactionToken(value) || REFERENCE.test(value)) return false;
  if (ORDINARY_WORDS.has(value.toLowerCase())) return false;
  if (/^(?:pwd|oldpwd)$/i.test(name) && /^[/.~$]/.test(value)) return false;
  if (/^_?auth$/i.test(name)) return /^[A-Za-z0-9+/]{8,}={0,2}$/.test(value) && hasColon(value);
  if (/cookie$/i.test(name) && !value.includes('=') && value.length < 16) return false;
  if (value.toLowerCase() === name.toLowerCase()) return false;
  if (form === 'quoted' || shell) return true;
  if (/^pass$/i.test(name) || (form === 'loose' && /^(?:\d{1,4}$|[([{])/.test(value))) return false;
  return !repeatsName(name, value) && !MEMBER_OF_SETTINGS.test(value) && callLength(value) === 0;
}

/** Base64 of `user:password`. */
export function hasColon(base64: string): boolean {
  return Buffer.from(base64.slice(0, 1024), 'base64').includes(0x3a);
}
