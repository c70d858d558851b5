/**
 * Compiles bpf/undersight.bpf.o and generates src/kernel/events.gen.ts from its BTF.
 *
 *   node bpf/build.ts                  build what is out of date
 *   node bpf/build.ts --check          build, and exit 1 when events.gen.ts is not what would be generated, or a program needs
 *                                      more stack than kernels before 6.13 give
 *   node bpf/build.ts --target arm64   only prove that it compiles there
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readLayout } from '../src/kernel/layout.ts';
import { generateReaders } from './generate.ts';
import { MAX_FRAMES, MAX_STACK_BYTES, readStackDepths } from './stack-depth.ts';

const folder = import.meta.dirname;
const headers = ['events.h', 'plain-events.h'];
const object_path = join(folder, 'undersight.bpf.o');
const readers_path = join(folder, '../src/kernel/events.gen.ts');
const targets = { x64: 'x86', arm64: 'arm64' } as const;
type Target = keyof typeof targets;

const { values } = parseArgs({ options: { check: { type: 'boolean' }, target: { type: 'string' } } });
if (values.target !== undefined && values.target !== process.arch) {
  if (!(values.target in targets)) throw new Error(`--target must be one of ${Object.keys(targets).join(', ')}`);
  compile(values.target as Target, '/dev/null');
} else {
  if (isStale()) {
    const fresh_path = join(folder, `undersight.${process.pid}.bpf.o`);
    compile(process.arch as Target, fresh_path);
    renameSync(fresh_path, object_path);
  }
  const readers = generateReaders(
    readLayout(
      readFileSync(object_path),
      namesOf(headers.map((name) => readFileSync(join(folder, name), 'utf8')).join('')),
    ),
  );
  const current = existsSync(readers_path) ? readFileSync(readers_path, 'utf8') : '';
  if (readers !== current) {
    if (values.check) {
      console.error('src/kernel/events.gen.ts differs from bpf/events.h: run `node bpf/build.ts` and commit it');
      process.exit(1);
    }
    writeFileSync(readers_path, readers);
  }
  if (values.check) checkStack(readFileSync(object_path));
}

function compile(target: Target, output: string): void {
  const include = process.arch === 'arm64' ? '/usr/include/aarch64-linux-gnu' : '/usr/include/x86_64-linux-gnu';
  const flags = [
    '-O2',
    '-g',
    '-mcpu=v3',
    '-target',
    'bpf',
    `-D__TARGET_ARCH_${targets[target]}`,
    '-Wall',
    '-Wextra',
    '-Wno-unused-parameter',
    '-Werror',
  ];
  const arguments_ = [...flags, '-isystem', include, '-c', join(folder, 'undersight.bpf.c'), '-o', output];
  try {
    execFileSync('clang', arguments_, { stdio: 'inherit' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      console.error('clang is not installed: apt-get install clang libbpf-dev');
    process.exit(1);
  }
}

function checkStack(object: Buffer): void {
  const over = readStackDepths(object).filter(({ bytes, frames }) => bytes > MAX_STACK_BYTES || frames > MAX_FRAMES);
  for (const { program, bytes, frames, chain } of over)
    console.error(
      `${program} needs ${bytes} bytes of stack, ${frames} frames: ${chain.map((f) => `${f.name} ${f.bytes}`).join(', ')}`,
    );
  if (over.length > 0) process.exit(1);
}

function isStale(): boolean {
  if (!existsSync(object_path)) return true;
  const built_ms = statSync(object_path).mtimeMs;
  return readdirSync(folder).some(
    (name) => (/\.[ch]$/.test(name) || name === 'build.ts') && statSync(join(folder, name)).mtimeMs >= built_ms,
  );
}

/** The types that headers declare, in their order. */
function namesOf(header: string): { enums: string[]; structs: string[] } {
  const declared = (kind: string) =>
    [...header.matchAll(new RegExp(`^${kind} (\\w+) \\{`, 'gm'))].map((match) => match[1] ?? '');
  return { enums: declared('enum'), structs: declared('struct') };
}
