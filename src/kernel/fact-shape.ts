import { z } from 'zod';
import type {
  Event,
  EventBase,
  FileOpenEvent,
  LossEvent,
  NetOpenEvent,
  ProcessExecEvent,
  ProcessFactsEvent,
  SessionEvent,
  TargetEvent,
} from '../model/event.ts';

/** The events that do not come from the kernel as records: what user space looked up. */
type Fact =
  | SessionEvent
  | TargetEvent
  | ProcessFactsEvent
  | ProcessExecEvent
  | FileOpenEvent
  | NetOpenEvent
  | LossEvent;
type Shapes = { [F in Fact as F['kind']]: { readonly [K in Exclude<keyof F, keyof EventBase | 'kind'>]-?: z.ZodType } };

const text = z.string();
const optionalText = text.optional();
const whole = z.int();
const id = z.bigint();
const process = text.regex(/^\d+:\d+$/);
const address = z.object({ family: z.enum(['ipv4', 'ipv6', 'unix', 'other']), address: text, port: whole });
const base = { ktime_ns: id, process, pid: whole, tid: whole };

const shapes = {
  session: {
    unix_offset_ns: id,
    boot_id: text,
    host_name: text,
    host_id: text,
    host_arch: text,
    os_release: text,
    undersight_version: text,
  },
  target: {
    reason: z.enum(['launched', 'catalogue', 'rule', 'traffic']),
    agent_name: text,
    agent_version: optionalText,
  },
  process_facts: {
    environment: z.record(text, text),
    user_name: optionalText,
    container_id: optionalText,
    home_directory: optionalText,
  },
  process_exec: {
    origin: z.enum(['exec', 'snapshot']),
    watched: z.boolean(),
    parent: process.optional(),
    parent_pid: whole,
    namespace_pid: whole,
    uid: whole,
    gid: whole,
    cgroup_id: id,
    comm: text,
    executable_path: text,
    working_directory: text,
    args: z.array(text),
    args_lost_bytes: whole,
  },
  file_open: {
    origin: z.enum(['open', 'inherited']),
    file_id: id,
    fd: whole,
    flags: whole,
    mode: whole,
    errno: whole,
    created: z.boolean().optional(),
    path: text,
  },
  net_open: {
    operation: z.enum(['connect', 'accept', 'listen', 'inherited']),
    socket_id: id,
    fd: whole,
    transport: z.enum(['tcp', 'udp', 'unix', 'other']),
    local: address,
    peer: address,
    errno: whole,
  },
  loss: { reason: text, count: whole },
} satisfies Shapes;

const schemas = new Map(Object.entries(shapes).map(([kind, shape]) => [kind, z.object({ ...base, ...shape })]));

/** Is the value one of the events that a recording holds as facts, with all that its kind asks for? */
export function isFact(value: unknown): value is Event {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  return schemas.get(String(value.kind))?.safeParse(value).success === true;
}
