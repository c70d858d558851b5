import { type CountRedaction, isRedactionToken, redactionToken } from './redaction-token.ts';

/** A flag that takes a secret only because of the command it belongs to. */
interface CommandFlag {
  readonly commands: string;
  readonly subcommand?: string;
  readonly flags: string;
  /** Only what stands behind this is secret: `user:password`, `cookie=value`. */
  readonly behind?: ':' | '=';
  /** The value is written onto the flag: `-psecret`. */
  readonly attached?: true;
  /** Only as the first argument: what follows belongs to another command. */
  readonly leading?: true;
}

const COMMAND_FLAGS: readonly CommandFlag[] = [
  { commands: 'curl|wget|xh|lftp|ncftp', flags: '-u|-U|--user|--proxy-user|-a', behind: ':' },
  { commands: 'curl|lftp|ncftp', flags: '-u|-U', behind: ':', attached: true },
  { commands: 'curl', flags: '-b', behind: '=' },
  { commands: 'curl', flags: '-b', behind: '=', attached: true },
  { commands: 'sshpass', flags: '-p', leading: true },
  { commands: 'sshpass', flags: '-p', leading: true, attached: true },
  { commands: 'mysql|mysqldump|mysqladmin|mariadb|mariadb-dump', flags: '-p', attached: true },
  { commands: 'redis-cli', flags: '-a|--pass' },
  { commands: 'ldapsearch|ldapadd|ldapmodify', flags: '-w' },
  { commands: 'docker|podman|helm|oc|az', subcommand: 'login', flags: '-p' },
];

const ESCAPE = '\\\\{0,7}';
const WORD_END = `\\s"'\``;

/** In a line of shell: the command, at most 300 characters of its line, the flag, and its value. */
function linePattern({ commands, subcommand, flags, behind, attached, leading }: CommandFlag): RegExp {
  const sub = subcommand === undefined ? '' : `[ \\t]{1,4}(?:[a-z]{1,16}[ \\t]{1,4})?${subcommand}\\b`;
  const between = leading ? '' : '[^\\n;|&]{0,300}?';
  const gap = `${attached ? '' : '(?:[ \\t]{1,8}|=)'}${ESCAPE}["']?`;
  const name = behind === undefined ? '' : `[^${behind}${WORD_END}\\\\]{0,128}${behind}`;
  // Several cookies are one word only in quotes.
  const cookies = behind === '=' ? `(?<=["']${name})[^"'\`\\n\\\\]{1,2048}|` : '';
  return new RegExp(
    `(\\b(?:${commands})\\b${sub}${between}[ \\t](?:${flags})${gap}${name})(${cookies}(?!-)[^${WORD_END}\\\\;|&]{1,512})`,
    'g',
  );
}

const RULES = COMMAND_FLAGS.map((rule) => ({
  rule,
  names: rule.commands.split('|'),
  line: linePattern(rule),
  flags: new Set(rule.flags.split('|')),
}));

/** A line of ~/.netrc. */
const NETRC = /((?:\bmachine\s{1,8}\S{1,255}|\bdefault)\s{1,8}login\s{1,8}\S{1,128}\s{1,8}password\s{1,8})(\S{1,512})/g;

const isSecret = (value: string) =>
  value !== '' && !isRedactionToken(value) && !/^\$[A-Z_{(]/.test(value) && !/^[{<]/.test(value);

/** Takes secrets out of `text` that only the command line or .netrc entry around them betrays: `curl -u user:password`. */
export function redactCommandLines(text: string, count: CountRedaction): string {
  const replace = (match: string, before: string, value: string) => {
    if (!isSecret(value)) return match;
    count('credential');
    return before + redactionToken('credential');
  };
  let out = text;
  for (const { names, line } of RULES) {
    if (names.some((name) => out.includes(name))) out = out.replace(line, replace);
  }
  return out.includes('login') ? out.replace(NETRC, replace) : out;
}

/** The same for a command's argument vector; `args[0]` is the command. */
export function redactCommandArgs(args: readonly string[], count: CountRedaction): readonly string[] {
  const command = args[0]?.split('/').at(-1) ?? '';
  let out = args;
  /** Takes the value of a flag out of an argument, in which it begins at `start`. */
  const redactValue = (index: number, start: number, behind: CommandFlag['behind']) => {
    const arg = out[index] ?? '';
    const found = behind === undefined ? start : arg.indexOf(behind, start) + 1;
    if ((behind !== undefined && found === 0) || !isSecret(arg.slice(found))) return;
    count('credential');
    out = out.with(index, arg.slice(0, found) + redactionToken('credential'));
  };
  for (const { rule, names, flags } of RULES) {
    if (!names.includes(command)) continue;
    if (rule.subcommand !== undefined && !args.includes(rule.subcommand)) continue;
    for (let i = 1; i < (rule.leading ? 2 : args.length); i++) {
      const arg = out[i] ?? '';
      if (rule.attached) {
        const flag = [...flags].find((name) => arg.startsWith(name));
        if (flag !== undefined) redactValue(i, flag.length, rule.behind);
        continue;
      }
      const equals = arg.startsWith('--') ? arg.indexOf('=') : -1;
      if (equals > 0 && flags.has(arg.slice(0, equals))) redactValue(i, equals + 1, rule.behind);
      else if (flags.has(arg) && !out[i + 1]?.startsWith('-')) redactValue(i + 1, 0, rule.behind);
    }
  }
  return out;
}
