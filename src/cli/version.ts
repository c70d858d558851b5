import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { release } from 'node:os';
import type { Command } from 'commander';
import { toJson } from './json.ts';
import type { Terminal } from './terminal.ts';

/** The version in the package.json of the checkout or package that this file is in. */
export function readVersion(): string {
  const file = findPackageJSON(import.meta.url);
  return file === undefined ? 'unknown' : JSON.parse(readFileSync(file, 'utf8')).version;
}

export function addVersion(program: Command, terminal: Terminal): void {
  program
    .command('version')
    .description('print the versions of Undersight, Node.js and the kernel')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => {
      const versions = { undersight: readVersion(), node: process.version, kernel: release(), arch: process.arch };
      if (json) terminal.out(toJson(versions));
      else
        terminal.out(
          `undersight ${versions.undersight}, Node.js ${versions.node}, Linux ${release()} ${process.arch}\n`,
        );
    });
}
