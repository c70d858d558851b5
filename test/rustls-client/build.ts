import { execFileSync } from 'node:child_process';
import path from 'node:path';

const folder = import.meta.dirname;
const target = path.join(folder, '../../.cache/rustls-client');
const BUILD_MS = 240_000;

/** A Rust program that talks TLS through rustls, built when it is out of date; or why there is none. */
export function buildRustlsClient(): { readonly client: string } | { readonly skip: string } {
  const build = (...options: readonly string[]) =>
    execFileSync('cargo', ['build', '--release', '--locked', '--target-dir', target, ...options], {
      cwd: folder,
      stdio: 'pipe',
      timeout: BUILD_MS,
    });
  try {
    try {
      build('--offline');
    } catch {
      build();
    }
    return { client: path.join(target, 'release/rustls-client') };
  } catch (error) {
    const { stderr, message } = error as { readonly stderr?: Buffer; readonly message: string };
    const [reason = message] = String(stderr ?? '').match(/^error.*/m) ?? [];
    return { skip: `a program that uses rustls cannot be built here: ${reason}` };
  }
}
