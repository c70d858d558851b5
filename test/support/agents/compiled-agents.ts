import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { RealAgent } from '../real-agent.ts';
import { base, TOO_QUICK } from './sdk-base.ts';

const own = import.meta.dirname;
const OPENAI_GO_VERSION = '3.95.0';
const REQWEST_VERSION = '0.12.28';

/** On the official Go SDK. */
export function openaiGo(name: string, ...flags: readonly string[]): RealAgent {
  const program = flags.length === 0 ? 'agent' : 'agent-stripped';
  return {
    ...base,
    name: `${name} (Go)`,
    version: OPENAI_GO_VERSION,
    packages: { other: [`openai-go ${OPENAI_GO_VERSION}`] },
    build(installed) {
      const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '', CGO_ENABLED: '0' };
      const args = ['build', ...flags, '-o', join(installed, program), '.'];
      execFileSync('go', args, { cwd: join(own, 'go'), stdio: 'inherit', env });
    },
    command: ({ installed }) => [join(installed, program)],
    tlsFile: ({ installed }) => join(installed, program),
    unwatched: TOO_QUICK,
  };
}

export const hasCargo = ((): boolean => {
  try {
    execFileSync('cargo', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Stripped, as release builds are. */
export const reqwest: RealAgent = {
  ...base,
  name: 'reqwest with rustls, stripped (Rust)',
  version: REQWEST_VERSION,
  packages: { other: [`reqwest ${REQWEST_VERSION}`] },
  build(installed) {
    cpSync(join(own, 'rust'), join(installed, 'source'), { recursive: true, preserveTimestamps: true });
    const build = (...options: readonly string[]) =>
      execFileSync('cargo', ['build', '--release', '--locked', '--quiet', ...options], {
        cwd: join(installed, 'source'),
        stdio: ['ignore', 'inherit', 'pipe'],
      });
    try {
      build('--offline');
    } catch {
      build();
    }
  },
  command: ({ installed }) => [join(installed, 'source/target/release/reqwest-agent')],
  tlsFile: ({ installed }) => join(installed, 'source/target/release/reqwest-agent'),
  unwatched: TOO_QUICK,
};
