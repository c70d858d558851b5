import path from 'node:path';

/** How a process was started, as `process_exec` tells it. */
export interface Invocation {
  readonly executable_path: string;
  readonly args: readonly string[];
}

/** What an interpreter was told to run; both undefined for program text on the command line, or none at all. */
export interface Program {
  readonly script: string | undefined;
  /** Of `python -m`. */
  readonly module: string | undefined;
}

interface Interpreter {
  readonly executable: RegExp;
  /** Options that take the next word. */
  readonly takes: readonly string[];
  /** Options after which program text comes, and no script. */
  readonly inline: RegExp;
  /** Words before the script that are no script themselves. */
  readonly verbs?: readonly string[];
}

const INTERPRETERS: readonly Interpreter[] = [
  {
    executable: /^node(js)?(-?\d+)?$/,
    takes: ['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions', '--title'],
    inline: /^(-[ep]+|--eval|--print)$/,
  },
  {
    executable: /^bun$/,
    takes: ['-r', '--preload', '--cwd', '-c', '--config'],
    inline: /^(-e|--eval)$/,
    verbs: ['run', 'x'],
  },
  { executable: /^deno$/, takes: [], inline: /^eval$/, verbs: ['run'] },
  { executable: /^(python|pypy)[\d.]*$/, takes: ['-W', '-X', '--check-hash-based-pycs'], inline: /^-[A-Za-z]*c$/ },
  {
    executable: /^(ba|da|z|k)?sh$/,
    takes: ['-o', '-O', '+O', '--rcfile', '--init-file'],
    inline: /^-[A-Za-z]*c[A-Za-z]*$/,
  },
  { executable: /^(ruby|perl)[\d.]*$/, takes: ['-I'], inline: /^-[A-Za-z]*[eE]$/ },
];

/** The program that an interpreter runs; undefined when the process is no interpreter. */
export function findProgram({ executable_path, args }: Invocation): Program | undefined {
  const executable = path.basename(executable_path);
  const interpreter = INTERPRETERS.find((one) => one.executable.test(executable));
  if (interpreter === undefined) return undefined;
  const isPython = /^(python|pypy)/.test(executable);
  for (let at = 1; at < args.length; at++) {
    const word = args[at] as string;
    if (interpreter.inline.test(word)) break;
    if (isPython && word === '-m') return { script: undefined, module: args[at + 1] };
    if (interpreter.takes.includes(word)) at++;
    else if (!word.startsWith('-') && !interpreter.verbs?.includes(word)) return { script: word, module: undefined };
  }
  return { script: undefined, module: undefined };
}
