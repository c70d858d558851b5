import type { ProcessFactsEvent, ProcessKey } from '../model/event.ts';
import { readProcFile, splitNul } from './proc-file.ts';

const VARIABLES = ['OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES', 'TRACEPARENT', 'TRACESTATE'];
const MAX_VALUE_CHARACTERS = 4096;

/** What /proc tells about a process beyond what the kernel side does; undefined when it is gone. */
export function readProcessFacts(pid: number, process: ProcessKey, now_ns: bigint): ProcessFactsEvent | undefined {
  const status = readProcFile(`/proc/${pid}/status`)?.toString('latin1');
  if (status === undefined) return undefined;
  const variables = readEnvironment(pid);
  const uid = /^Uid:\t\d+\t(\d+)/m.exec(status)?.[1] ?? '';
  const user = readUser(pid, uid);
  const home = variables.get('HOME');
  return {
    kind: 'process_facts',
    ktime_ns: now_ns,
    process,
    pid,
    tid: pid,
    environment: Object.fromEntries(
      VARIABLES.flatMap((name) => {
        const value = variables.get(name);
        return value === undefined || value.length > MAX_VALUE_CHARACTERS ? [] : [[name, value]];
      }),
    ),
    user_name: user?.name,
    container_id: containerId(readProcFile(`/proc/${pid}/cgroup`)?.toString('latin1') ?? ''),
    home_directory: home?.startsWith('/') ? home : user?.home,
  };
}

/** The id in the name of a container's cgroup, as Docker, containerd, CRI-O and Podman write it. */
export function containerId(cgroups: string): string | undefined {
  return /(?:^|[/\-:])([0-9a-f]{64})(?:\.scope)?(?=\/|$)/m.exec(cgroups)?.[1];
}

function readEnvironment(pid: number): Map<string, string> {
  const variables = new Map<string, string>();
  for (const variable of splitNul(readProcFile(`/proc/${pid}/environ`) ?? Buffer.alloc(0))) {
    const equals = variable.indexOf('=');
    const name = variable.slice(0, equals);
    if (equals > 0 && !variables.has(name)) variables.set(name, variable.slice(equals + 1));
  }
  return variables;
}

/** From the user database that the process itself sees. */
function readUser(pid: number, uid: string): { readonly name: string; readonly home: string | undefined } | undefined {
  const users = readProcFile(`/proc/${pid}/root/etc/passwd`)?.toString('utf8') ?? '';
  for (const line of users.split('\n')) {
    const [name, , id, , , home] = line.split(':');
    if (name && id === uid) return { name, home: home?.startsWith('/') ? home : undefined };
  }
  return undefined;
}
