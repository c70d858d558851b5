import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { supportsUprobeMulti, supportsUprobeSession } from '../../kernel/bpf-syscall.ts';
import { layout_hash } from '../../kernel/events.gen.ts';
import { loadProbes } from '../../kernel/loader.ts';
import { checkPrerequisites } from '../../kernel/prerequisites.ts';
import { SetupError } from '../../model/setup-error.ts';
import { OBJECT_PATH } from '../object-path.ts';
import { type Finding, fallback, missing, ok } from './finding.ts';

const TRIAL_RING_BYTES = 1 << 16;

/** What the kernel side needs and finds. Loads the programs for a moment, and watches nothing with them. */
export async function findKernel(): Promise<Finding[]> {
  const prerequisites = checkPrerequisites();
  const findings = prerequisites.map(({ name, found, isMet, problem, fix }) =>
    isMet ? ok(name, found) : missing(name, problem, fix, true),
  );
  findings.push(findLockdown(), findPerfEvents());
  if (prerequisites.every(({ isMet }) => isMet)) findings.push(findUprobeMulti(), ...(await tryPrograms()));
  else findings.push(missing('kernel programs', 'not tried: see above', '', true));
  findings.push(findClang());
  return findings;
}

/** man 7 kernel_lockdown: `confidentiality` forbids BPF programs to read memory, `integrity` to write it. */
function findLockdown(): Finding {
  const mode = /\[(\w+)\]/.exec(readText('/sys/kernel/security/lockdown'))?.[1];
  if (mode === undefined) return ok('lockdown', 'unknown (securityfs is not mounted)');
  if (mode !== 'confidentiality') return ok('lockdown', mode);
  return missing('lockdown', 'confidentiality: programs may not read memory', 'Boot with lockdown=integrity.', true);
}

function findPerfEvents(): Finding {
  const level = readText('/proc/sys/kernel/perf_event_paranoid').trim();
  return ok('perf_event_paranoid', `${level || 'unknown'} (does not hold for those who have CAP_PERFMON)`);
}

function findUprobeMulti(): Finding {
  if (supportsUprobeSession()) return ok('uprobe_multi', 'probes are attached together, one for both ends of a call');
  if (supportsUprobeMulti())
    return ok(
      'uprobe_multi',
      'probes are attached together, one for each end of a call (Linux 6.13 needs one for both)',
    );
  return fallback('uprobe_multi', 'not known to this kernel: probes are attached one by one', 'Linux 6.6 has it.');
}

async function tryPrograms(): Promise<Finding[]> {
  try {
    const probes = loadProbes({
      object_path: OBJECT_PATH,
      ring_bytes: TRIAL_RING_BYTES,
      watch_all_execs: false,
      discover_by_traffic: false,
    });
    await probes.close();
    const findings = [ok('kernel programs', `load and attach (layout ${layout_hash.slice(0, 12)})`)];
    if (probes.unattached.length > 0) {
      findings.push(
        fallback('hooks', `this kernel lacks ${probes.unattached.join('; ')}`, 'What they tell is left out.'),
      );
    }
    return findings;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [missing('kernel programs', reason, error instanceof SetupError ? error.fix : 'Report this.', true)];
  }
}

function findClang(): Finding {
  try {
    const version = execFileSync('clang', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return ok('clang', version.split('\n', 1)[0] ?? '');
  } catch {
    return fallback('clang', 'not installed: the kernel side cannot be built again here', 'apt-get install clang');
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
