import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';

/** Parses `args` as the program would, and gives what the command's action would be called with. */
function parse(args: readonly string[]): { command: string; words: unknown[] } {
  let parsed: { command: string; words: unknown[] } | undefined;
  const { program } = createQuietProgram();
  for (const command of commandsBelow(program)) {
    command.action(() => {
      parsed = { command: command.name(), words: command.processedArgs };
    });
  }
  program.parse(args, { from: 'user' });
  assert.ok(parsed, `${args.join(' ')} runs no command`);
  return parsed;
}

function createQuietProgram() {
  const printed: string[] = [];
  const out = (text: string) => void printed.push(text);
  const program = createProgram({ env: {}, color: false, err_color: false, width: 120, err_width: 120, out, err: out });
  return { program, printed };
}

function commandsBelow(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...commandsBelow(child)]);
}

/** The arguments of each `undersight ...` among the examples of a help text: up to a pipe, or what explains it. */
function examples(help: string): string[][] {
  const [, block = ''] = /\nExamples:\n((?: {2}.*\n)+)/.exec(help) ?? [];
  return [...block.matchAll(/^ {2}(?:sudo )?(?:\w+=\S+ )?undersight (.*?)(?: {3,}.*| [|\\].*)?$/gm)].map(
    ([, line = '']) => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? ''),
  );
}

function helpOf(path: readonly string[]): string {
  const { program, printed } = createQuietProgram();
  const command = path.reduce((at, name) => at.commands.find((one) => one.name() === name) ?? at, program);
  command.outputHelp();
  return printed.join('');
}

const HELPS = [
  [],
  ['run'],
  ['watch'],
  ['record'],
  ['replay'],
  ['traces', 'ls'],
  ['traces', 'show'],
  ['traces', 'rm'],
  ['targets', 'inspect'],
  ['validate'],
  ['doctor'],
];
for (const path of HELPS) {
  test(`the examples of undersight ${[...path, '--help'].join(' ')} are taken as they stand`, () => {
    const lines = examples(helpOf(path));
    assert.ok(lines.length > 0);
    for (const args of lines) {
      const { words } = parse(args);
      const dashes = args.indexOf('--');
      if (dashes >= 0) assert.deepEqual(words.at(-1), args.slice(dashes + 1));
    }
  });
}

test('record takes options before the command, and leaves those of the command alone', () => {
  const { words } = parse(['record', 'agent.rec', '--set', 'a=b', '--', 'agent', '--set', 'c', '--', 'd']);
  assert.deepEqual(words, ['agent.rec', ['agent', '--set', 'c', '--', 'd']]);
});
