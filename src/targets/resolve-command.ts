import fs from 'node:fs';
import path from 'node:path';
import { SetupError } from '../model/setup-error.ts';
import { isShell, wordsOf, wordsOfScript } from './mentioned-commands.ts';
import { findPackagedBinaries } from './packaged-binaries.ts';
import { findBundledLibraries, findSystemLibraries } from './tls-files.ts';

/** As many interpreters as Linux follows (BINPRM_MAX_RECURSION is 5). */
const MAX_INTERPRETERS = 5;
/** Scripts that start scripts that start the program. */
const MAX_WRAPPERS = 3;
const MAX_IMAGES = 128;
/** What the kernel reads of a first line (BINPRM_BUF_SIZE). */
const FIRST_LINE_BYTES = 256;

export interface ResolvedCommand {
  /** What `execve` will be given: absolute, links not followed. */
  readonly executable_path: string;
  /** Every file that may hold TLS functions and that can be known before the first instruction runs. */
  readonly tls_files: readonly string[];
}

interface Place {
  readonly path_variable: string;
  /** Where the command itself is looked for, if not in the whole path. */
  readonly directory?: string;
  readonly working_directory: string;
}

/**
 * Finds a command as a shell would, and what it will run: interpreters of `#!` lines included, and what its arguments and a
 * shell script name (`env agent`, `sh -c 'exec agent'`), to be known before it starts. Throws SetupError when there is no
 * such command, or it may not be executed.
 */
export function resolveCommand(command: string, place: Place, args: readonly string[] = []): ResolvedCommand {
  const executable_path = findExecutable(command, place);
  const images = new Set<string>();
  collectImages(executable_path, args.flatMap(wordsOf), place, MAX_WRAPPERS, images);
  const bundled = [...images].flatMap((file) => [...findPackagedBinaries(file), ...findBundledLibraries(file)]);
  return { executable_path, tls_files: [...new Set([...images, ...bundled, ...findSystemLibraries()])] };
}

/** A program, its interpreters, and the programs that `words` or its script name; those that cannot be found are none. */
function collectImages(
  program: string,
  words: readonly string[],
  place: Place,
  depth: number,
  images: Set<string>,
): void {
  const chain: string[] = [];
  let image: string | undefined = program;
  for (let step = 0; image !== undefined && step < MAX_INTERPRETERS; step++) {
    chain.push(fs.realpathSync(image));
    image = findInterpreter(image, place);
  }
  for (const one of chain) images.add(one);
  if (depth === 0) return;
  const isScript = chain.length > 1 && isShell(chain.at(-1) ?? '');
  for (const word of new Set([...words, ...(isScript ? wordsOfScript(program) : [])])) {
    if (images.size >= MAX_IMAGES) return;
    const file = word.includes('/') ? path.resolve(place.working_directory, word) : searchPath(word, place);
    if (file !== undefined && isExecutable(file) && !images.has(fs.realpathSync(file))) {
      collectImages(file, [], place, depth - 1, images);
    }
  }
}

function findExecutable(command: string, place: Place): string {
  if (command.includes('/')) {
    const file = path.resolve(place.working_directory, command);
    if (isExecutable(file)) return file;
    throw new SetupError(
      fs.existsSync(file) ? `${command} cannot be executed` : `There is no ${command}`,
      fs.existsSync(file) ? 'Give it execute permission, or name the program that runs it.' : 'Check the path.',
    );
  }
  const file = searchPath(command, { ...place, path_variable: place.directory ?? place.path_variable });
  if (file !== undefined) return file;
  throw new SetupError(`There is no command ${command} in PATH`, 'Install it, or give its path.');
}

function searchPath(command: string, place: Place): string | undefined {
  for (const directory of place.path_variable.split(':')) {
    const file = path.resolve(place.working_directory, directory, command);
    if (isExecutable(file)) return file;
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The program that a script's first line names; of `env` the one that it looks for, since it becomes that. */
function findInterpreter(file: string, place: Place): string | undefined {
  const line = /^#![ \t]*([^\n]+)/.exec(readFirstBytes(file))?.[1]?.trim();
  if (line === undefined) return undefined;
  const [interpreter, ...words] = line.split(/[ \t]+/) as [string, ...string[]];
  if (path.basename(interpreter) !== 'env') return isExecutable(interpreter) ? interpreter : undefined;
  const name = words.find((word) => !word.startsWith('-') && !word.includes('='));
  if (name === undefined) return undefined;
  const found = name.includes('/') ? path.resolve(place.working_directory, name) : searchPath(name, place);
  return found !== undefined && isExecutable(found) ? found : undefined;
}

function readFirstBytes(file: string): string {
  try {
    const fd = fs.openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(FIRST_LINE_BYTES);
      return bytes.toString('latin1', 0, fs.readSync(fd, bytes));
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    return '';
  }
}
