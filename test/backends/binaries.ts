import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export type BackendName = 'otelcol' | 'jaeger';

/** Where `build.ts` puts what it builds. */
export const cache_folder = process.env.UNDERSIGHT_BACKENDS ?? join(homedir(), '.cache/undersight-backends');

/** The backend's program: UNDERSIGHT_OTELCOL or UNDERSIGHT_JAEGER, else the one built; undefined when there is none. */
export function findBackend(name: BackendName): string | undefined {
  const named = process.env[`UNDERSIGHT_${name.toUpperCase()}`];
  const path = named ?? join(cache_folder, name);
  if (existsSync(path)) return path;
  if (named !== undefined) throw new Error(`UNDERSIGHT_${name.toUpperCase()} names ${named}, which does not exist`);
  return undefined;
}

/** Why a test that needs this backend is skipped; false when it can run. For `test(name, { skip })`. */
export function skipWithout(...names: readonly BackendName[]): string | false {
  const missing = names.filter((name) => findBackend(name) === undefined);
  return (
    missing.length > 0 && `no ${missing.join(' and no ')} here: \`npm run backends\` builds it (needs Go, 10 minutes)`
  );
}
