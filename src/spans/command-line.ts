/**
 * Which arguments of a command are content: scripts and prompts. An argument is, when it
 * - is longer than 256 characters, or has a line break, or has four words or more;
 * - follows an option that takes a script or a prompt (`-c`, `-e`, `-p`, `--eval`, `--message`, ... or `--eval=`), and is more
 *   than one plain word.
 * The executable's own name never is.
 */
const LONG_CHARS = 256;
const PROSE = /[\n\r]|\S\s+\S+\s+\S+\s+\S/;
const MORE_THAN_A_WORD = /[\s;|&$(){}<>`'"*]/;
const OPTIONS = 'eval|print|prompt|message|command|code|exec|execute|expression|instructions|system-prompt';
const SCRIPT_OPTION = new RegExp(`^(-[a-zA-Z]{0,4}[cepEm]|--(${OPTIONS}))$`);
const SCRIPT_ASSIGNMENT = new RegExp(`^(--(?:${OPTIONS})=)(.*)$`, 's');

/** The arguments with `[content: N chars]` in place of scripts and prompts; the same list when there are none. */
export function withoutContent(args: readonly string[]): readonly string[] {
  const shown = args.map((argument, index) => {
    const assignment = SCRIPT_ASSIGNMENT.exec(argument);
    if (assignment !== null) {
      const [, option = '', value = ''] = assignment;
      return MORE_THAN_A_WORD.test(value) || isContent(value) ? `${option}${placeholder(value)}` : argument;
    }
    const follows = index > 0 && SCRIPT_OPTION.test(args[index - 1] ?? '');
    return isContent(argument) || (follows && MORE_THAN_A_WORD.test(argument)) ? placeholder(argument) : argument;
  });
  if (args[0] !== undefined && args[0].length <= LONG_CHARS) shown[0] = args[0];
  return shown.every((argument, index) => argument === args[index]) ? args : shown;
}

function isContent(argument: string): boolean {
  return argument.length > LONG_CHARS || PROSE.test(argument);
}

function placeholder(argument: string): string {
  return `[content: ${argument.length} chars]`;
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
