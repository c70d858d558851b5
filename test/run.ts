/**
 * Runs the tests: `node test/run.ts [unit|kernel|e2e ...] [--only TEXT]`, all groups by default.
 * `unit` files run side by side, `kernel` and `e2e` one at a time. Exit code 1 when a test failed or none ran.
 */
import { globSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { run } from 'node:test';
import { parseArgs } from 'node:util';

const root = dirname(import.meta.dirname);
const groups = ['unit', 'kernel', 'e2e'] as const;
type Group = (typeof groups)[number];

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

const { values, positionals } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true });
const wanted = positionals.length > 0 ? positionals : [...groups];
for (const name of wanted) {
  if (!groups.includes(name as Group)) {
    console.error(`unknown group ${JSON.stringify(name)}: ${groups.join(', ')}`);
    process.exit(2);
  }
}

// What an earlier version of this code found or refused on this machine must not pass for what this one does.
const cache = mkdtempSync(join(tmpdir(), 'undersight-cache-'));
process.env.UNDERSIGHT_CACHE = cache;
process.on('exit', () => rmSync(cache, { recursive: true, force: true }));

const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
for (const group of groups.filter((name) => wanted.includes(name))) {
  const files = filesOf(group).filter((file) => !values.only || file.includes(values.only));
  if (files.length === 0) continue;
  if (group !== 'unit' && process.getuid?.() !== 0) {
    console.log(`SKIPPED ${group}: ${files.length} files need root (they load programs into the kernel)`);
    continue;
  }
  await runGroup(group, files);
}
if (totals.passed + totals.failed === 0) console.error('no test ran');
if (totals.skipped > 0) console.log(`${totals.skipped} skipped, with the reasons above`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed > 0 || totals.passed === 0 ? 1 : 0);

function filesOf(group: Group): string[] {
  if (group !== 'unit') return globSync(`test/${group}/**/*.test.ts`, { cwd: root }).sort();
  const apart = new Set(['kernel', 'e2e', 'fixtures']);
  const folders = readdirSync(join(root, 'test'), { withFileTypes: true });
  return folders
    .flatMap((entry) => {
      if (entry.isDirectory() && !apart.has(entry.name))
        return globSync(`test/${entry.name}/**/*.test.ts`, { cwd: root });
      return entry.name.endsWith('.test.ts') ? [`test/${entry.name}`] : [];
    })
    .sort();
}

function runGroup(group: Group, files: string[]): Promise<void> {
  const fuzz_ms = 2000 * Number(process.env.UNDERSIGHT_FUZZ_SECONDS ?? 0);
  const timeout_ms = group === 'unit' ? 120_000 + fuzz_ms : 300_000;
  const began_ms = Date.now();
  const before = { ...totals };
  const spoken = new Set<string>();
  const stream = run({
    files: files.map((file) => join(root, file)),
    concurrency: group === 'unit' ? 2 : 1,
    execArgv: ['--import', join(root, 'test/random-seed.ts')],
    timeout: timeout_ms,
    cwd: root,
  });
  stream.on('test:pass', (event) => {
    if (event.details.type === 'suite' || isFile(event.name)) return;
    spoken.add(event.file ?? '');
    if (event.skip !== undefined) {
      totals.skipped += 1;
      console.log(`SKIPPED ${event.name}: ${event.skip === true ? 'no reason given' : event.skip}`);
    } else {
      totals.passed += 1;
      if (group !== 'unit') console.log(`ok ${event.name} (${Math.round(event.details.duration_ms)} ms)`);
    }
  });
  stream.on('test:fail', (event) => {
    const error = event.details.error as { failureType?: string; cause?: unknown } & Error;
    // A suite, or a file, fails again for each of its tests: only what has no test of its own to blame counts.
    if (error.failureType === 'subtestsFailed') return;
    totals.failed += 1;
    spoken.add(event.file ?? '');
    const where = event.file === undefined ? '' : ` (${relative(root, event.file)}:${event.line ?? 0})`;
    console.log(`\nFAILED ${isFile(event.name) ? 'to run ' : ''}${event.name}${where}`);
    const cause = error.cause ?? error;
    console.log(indent(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)));
  });
  stream.on('test:stderr', (event) => process.stderr.write(event.message));
  stream.on('test:stdout', (event) => process.stdout.write(event.message));
  return new Promise((resolve) => {
    stream.on('end', () => {
      for (const file of files.filter((name) => !spoken.has(join(root, name)))) {
        totals.failed += 1;
        console.log(`\nFAILED ${file} holds no test`);
      }
      const seconds = Math.round((Date.now() - began_ms) / 1000);
      const passed = totals.passed - before.passed;
      const failed = totals.failed - before.failed;
      console.log(`${group}: ${files.length} files, ${passed} passed, ${failed} failed, ${seconds} s`);
      resolve();
    });
    stream.resume();
  });
}

/** Each file is reported like a test of its own, under its path. */
function isFile(name: string): boolean {
  return name.endsWith('.test.ts');
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}
