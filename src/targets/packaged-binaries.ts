import fs from 'node:fs';
import path from 'node:path';

/** Between a script and the package.json of its package, and between a package and its executables. */
const MAX_DEPTH = 6;
const MAX_PACKAGE_BYTES = 1024 * 1024;
const MAX_LOOKED_AT = 512;
const MAX_FOUND = 8;
/** Smaller ones hold no TLS. */
const MIN_BINARY_BYTES = 1024 * 1024;
const PLATFORM = process.arch === 'x64' ? /linux.*(x64|amd64|x86_64)/ : new RegExp(`linux.*${process.arch}`);

/**
 * Executables that an npm package has in an optional dependency for this platform. Its script starts one of them (Codex, for
 * example): to know them before saves the first calls, which are over by the time that hundreds of megabytes are searched.
 */
export function findPackagedBinaries(script: string): readonly string[] {
  const directory = findPackage(script);
  if (directory === undefined) return [];
  const found: string[] = [];
  const budget = { left: MAX_LOOKED_AT };
  for (const name of readPlatformPackages(path.join(directory, 'package.json'))) {
    for (const place of ancestors(directory)) {
      const packaged = path.join(place, 'node_modules', name);
      if (fs.existsSync(packaged)) collectBinaries(packaged, MAX_DEPTH, budget, found);
    }
  }
  return found.slice(0, MAX_FOUND);
}

function findPackage(script: string): string | undefined {
  if (!script.includes('/node_modules/')) return undefined;
  return ancestors(path.dirname(script))
    .slice(0, MAX_DEPTH)
    .find((directory) => fs.existsSync(path.join(directory, 'package.json')));
}

/** A directory and those above it. */
function ancestors(directory: string): readonly string[] {
  const parent = path.dirname(directory);
  return parent === directory ? [directory] : [directory, ...ancestors(parent)];
}

function readPlatformPackages(file: string): readonly string[] {
  try {
    if (fs.statSync(file).size > MAX_PACKAGE_BYTES) return [];
    const { optionalDependencies } = JSON.parse(fs.readFileSync(file, 'utf8')) as { optionalDependencies?: object };
    return Object.keys(optionalDependencies ?? {}).filter((name) => PLATFORM.test(name) && !name.includes('..'));
  } catch {
    return [];
  }
}

function collectBinaries(directory: string, depth: number, budget: { left: number }, found: string[]): void {
  try {
    for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
      if (budget.left-- <= 0) return;
      const file = path.join(directory, entry.name);
      if (entry.isDirectory() && depth > 0) collectBinaries(file, depth - 1, budget, found);
      if (!entry.isFile()) continue;
      const { mode, size } = fs.statSync(file);
      if ((mode & 0o111) !== 0 && size >= MIN_BINARY_BYTES) found.push(file);
    }
  } catch {
    // Gone, or not ours to read.
  }
}
