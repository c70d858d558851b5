import { createHash } from 'node:crypto';
import {
  ATTR_CONTAINER_ID,
  ATTR_DEPLOYMENT_ENVIRONMENT_NAME,
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
  ATTR_TELEMETRY_DISTRO_NAME,
  ATTR_TELEMETRY_DISTRO_VERSION,
} from '@opentelemetry/semantic-conventions';
import type { Counters } from '../health/counters.ts';
import type { AgentInstance } from '../model/activity.ts';
import type { SessionEvent } from '../model/event.ts';
import type { Resource } from '../model/span.ts';
import { boundAttributes, type LooseAttributes } from './bounded-attributes.ts';
import { baseName, withoutContent } from './command-line.ts';
import type { SpansOptions } from './options.ts';
import { parseResourceVariable } from './resource-variable.ts';
import {
  ATTR_HOST_ARCH,
  ATTR_HOST_ID,
  ATTR_HOST_NAME,
  ATTR_OS_TYPE,
  ATTR_OS_VERSION,
  ATTR_PROCESS_COMMAND_ARGS,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_EXECUTABLE_PATH,
  ATTR_PROCESS_PARENT_PID,
  ATTR_PROCESS_PID,
  ATTR_PROCESS_USER_ID,
  ATTR_PROCESS_USER_NAME,
  ATTR_PROCESS_WORKING_DIRECTORY,
} from './semconv.gen.ts';
import { unlessEmpty } from './span-body.ts';

const KEPT = 256;
/** How the conventions spell what Node calls otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm: 'arm32' };

export interface Resources {
  /** The same object for the same attributes. */
  of(agent: AgentInstance, session: SessionEvent): Resource;
}

export function createResources(options: SpansOptions, counters: Counters): Resources {
  const byAgent = new WeakMap<AgentInstance, Resource>();
  const byAttributes = new Map<string, Resource>();
  return {
    of(agent, session) {
      const known = byAgent.get(agent);
      if (known !== undefined) return known;
      const attributes = {
        ...boundAttributes(declaredAttributes(agent, session, options, counters), options),
        ...boundAttributes(observedAttributes(agent, session), options),
      };
      const key = JSON.stringify(Object.entries(attributes));
      const resource = byAttributes.get(key) ?? { attributes };
      if (byAttributes.size >= KEPT) byAttributes.clear();
      byAttributes.set(key, resource);
      byAgent.set(agent, resource);
      return resource;
    },
  };
}

/** What the agent may say of itself. */
function declaredAttributes(
  agent: AgentInstance,
  session: SessionEvent,
  options: SpansOptions,
  counters: Counters,
): LooseAttributes {
  const declared = parseResourceVariable(agent.environment.OTEL_RESOURCE_ATTRIBUTES);
  if (declared === undefined) counters.counted('spans.resource_variable_invalid');
  return {
    [ATTR_SERVICE_NAME]: agent.name,
    [ATTR_SERVICE_VERSION]: agent.version,
    [ATTR_SERVICE_INSTANCE_ID]: instanceId(session.boot_id, agent.process),
    [ATTR_DEPLOYMENT_ENVIRONMENT_NAME]: options.deployment_environment,
    ...Object.fromEntries(declared ?? []),
    ...(agent.environment.OTEL_SERVICE_NAME && { [ATTR_SERVICE_NAME]: agent.environment.OTEL_SERVICE_NAME }),
  };
}

/** What it may not. */
function observedAttributes(agent: AgentInstance, session: SessionEvent): LooseAttributes {
  return {
    [ATTR_HOST_NAME]: unlessEmpty(session.host_name),
    [ATTR_HOST_ID]: unlessEmpty(session.host_id),
    [ATTR_HOST_ARCH]: unlessEmpty(ARCHITECTURES[session.host_arch] ?? session.host_arch),
    [ATTR_OS_TYPE]: 'linux',
    [ATTR_OS_VERSION]: unlessEmpty(session.os_release),
    [ATTR_PROCESS_PID]: agent.pid,
    [ATTR_PROCESS_PARENT_PID]: agent.parent_pid,
    [ATTR_PROCESS_EXECUTABLE_NAME]: unlessEmpty(baseName(agent.executable_path)),
    [ATTR_PROCESS_EXECUTABLE_PATH]: unlessEmpty(agent.executable_path),
    [ATTR_PROCESS_COMMAND_ARGS]: withoutContent(agent.args),
    [ATTR_PROCESS_WORKING_DIRECTORY]: unlessEmpty(agent.working_directory),
    [ATTR_PROCESS_USER_ID]: agent.uid,
    [ATTR_PROCESS_USER_NAME]: agent.user_name,
    [ATTR_CONTAINER_ID]: agent.container_id,
    [ATTR_TELEMETRY_DISTRO_NAME]: 'undersight',
    [ATTR_TELEMETRY_DISTRO_VERSION]: unlessEmpty(session.undersight_version),
  };
}

/** A UUID (RFC 9562, version 8) that derives from the machine's boot and the process, so that a replay gives the same. */
function instanceId(boot_id: string, process: string): string {
  const hex = createHash('sha256').update(`instance:${boot_id}:${process}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
