import { z } from 'zod';
import { EXPORTERS, PROCESSORS, RECEIVERS, typeOf } from './components.ts';
import { type ConfigNode, childNode, locate } from './config-node.ts';
import { suggest } from './did-you-mean.ts';
import type { Problem } from './problem.ts';
import { checkNode } from './zod-problems.ts';

/** Which components the one pipeline uses, by id. */
export interface Pipeline {
  readonly receiver: string;
  /** Those that have options of their own; the others run with their defaults. */
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

/** Ids of what the configuration holds, per section. */
export interface Declared {
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

const idsSchema = z.array(z.string()).optional();
const serviceSchema = z.strictObject({
  pipelines: z
    .strictObject({
      traces: z.strictObject({ receivers: idsSchema, processors: idsSchema, exporters: idsSchema }).optional(),
    })
    .optional(),
});
const TRACES = ['service', 'pipelines', 'traces'];

/** The pipeline as `service:` names it. For a list that it leaves out: all that is configured, and `fallback`'s exporters. */
export function checkPipeline(
  root: ConfigNode,
  declared: Declared,
  fallback: readonly string[],
  problems: Problem[],
): Pipeline {
  const service = childNode(root, 'service');
  const traces = service && checkNode(serviceSchema, service, ['service'], problems)?.pipelines?.traces;

  function refuse(section: string, index: number | undefined, message: string): void {
    const keys = index === undefined ? [...TRACES, section] : [...TRACES, section, index];
    problems.push({ at: locate(root, keys), path: keys.join('.'), message });
  }

  /** Every id must be configured, or be a bare type, which has its default options then. */
  function checkIds(section: keyof Declared, types: readonly string[]): void {
    const ids = traces?.[section] ?? [];
    for (const [index, id] of ids.entries()) {
      const known = [...new Set([...declared[section], ...types])];
      if (!known.includes(id)) refuse(section, index, `${id} is not configured${suggest(id, known)}`);
      else if (ids.indexOf(id) < index) refuse(section, index, `${id} is named twice`);
    }
  }

  checkIds('receivers', Object.keys(RECEIVERS));
  checkIds('processors', Object.keys(PROCESSORS));
  checkIds('exporters', Object.keys(EXPORTERS));
  const receivers = traces?.receivers ?? (declared.receivers.length > 0 ? declared.receivers : ['undersight']);
  if (receivers.length !== 1) refuse('receivers', undefined, `expected one receiver; got ${list(receivers)}`);
  const processors = traces?.processors ?? declared.processors;
  checkOrder(processors, traces?.processors !== undefined, (message) => refuse('processors', undefined, message));
  const exporters = traces?.exporters ?? [...new Set([...fallback, ...declared.exporters])];
  if (exporters.length === 0)
    refuse('exporters', undefined, `expected an exporter; allowed: ${list(Object.keys(EXPORTERS))}`);
  if (exporters.filter((id) => typeOf(id) === 'console').length > 1) {
    refuse('exporters', undefined, 'expected one console exporter');
  }
  return { receiver: receivers[0] ?? 'undersight', processors, exporters };
}

function checkOrder(processors: readonly string[], inOrder: boolean, refuse: (message: string) => void): void {
  const types = processors.map(typeOf);
  const twice = types.find((type, index) => types.indexOf(type) < index);
  if (twice !== undefined) {
    refuse(`expected one ${twice} processor; got ${list(processors.filter((id) => typeOf(id) === twice))}`);
    return;
  }
  const order = Object.keys(PROCESSORS);
  const ranks = types.map((type) => order.indexOf(type));
  if (inOrder && ranks.some((rank, index) => rank < (ranks[index - 1] ?? -1))) {
    refuse(`processors run in the order ${list(order)}; name them so`);
  }
}

function list(ids: readonly string[]): string {
  return ids.length > 0 ? ids.join(', ') : 'none';
}
