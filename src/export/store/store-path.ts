import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where the store is when the configuration does not say: $UNDERSIGHT_STORE, else `/var/lib/undersight/traces.db` for
 * root, else `undersight/traces.db` below $XDG_STATE_HOME (XDG base directory specification: `~/.local/state`; a relative
 * value is to be ignored).
 */
export function defaultStorePath(env: NodeJS.ProcessEnv = process.env, uid: number = process.getuid?.() ?? 0): string {
  if (env.UNDERSIGHT_STORE) return env.UNDERSIGHT_STORE;
  if (uid === 0) return '/var/lib/undersight/traces.db';
  const state = env.XDG_STATE_HOME?.startsWith('/') ? env.XDG_STATE_HOME : join(env.HOME || homedir(), '.local/state');
  return join(state, 'undersight', 'traces.db');
}
