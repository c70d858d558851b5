import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const NO_GO = 'there is no Go compiler (`go`) on the PATH';

/** Of the compiler that builds for this machine, such as 1.26.8; undefined where there is none. */
export const goVersion = ((): string | undefined => {
  try {
    const text = execFileSync('go', ['version'], { encoding: 'utf8', env: { ...process.env, GOTOOLCHAIN: 'local' } });
    return /\bgo(\S+) linux\/amd64/.exec(text)?.[1];
  } catch {
    return undefined;
  }
})();

/** Whether Go programs can be built here. */
export const hasGo = goVersion !== undefined;

/** Builds a Go program of one source file, that needs the standard library alone, into `folder`. Returns its path. */
export function buildGo(folder: string, name: string, source: string, ...flags: readonly string[]): string {
  const file = join(folder, `${name}.go`);
  const program = join(folder, name);
  writeFileSync(file, source);
  execFileSync('go', ['build', ...flags, '-o', program, file], {
    cwd: folder,
    env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '', GO111MODULE: 'off', CGO_ENABLED: '0' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return program;
}
