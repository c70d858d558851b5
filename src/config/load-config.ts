import { readFileSync, statSync } from 'node:fs';
import { checkEndpoints } from './check-endpoints.ts';
import { checkPipeline, type Pipeline } from './check-pipeline.ts';
import { type Config, EXPORTERS, type ExporterConfig, PROCESSORS, RECEIVERS, typeOf } from './components.ts';
import { type ConfigNode, childNode, type MapNode, mergeNodes } from './config-node.ts';
import { defaultExporters } from './default-layer.ts';
import { suggest } from './did-you-mean.ts';
import { ConfigError, type Location, type Problem } from './problem.ts';
import { readYaml } from './read-yaml.ts';
import { readSetOption } from './set-option.ts';
import { checkNode } from './zod-problems.ts';

export interface ConfigSources {
  /** Later files win over earlier ones, key by key. */
  readonly files: readonly string[];
  /** `a.b=c`; they win over files. */
  readonly sets: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const MAX_FILE_BYTES = 1 << 20;
const SECTIONS = ['receivers', 'processors', 'exporters', 'service'];

/** Reads, merges and checks the configuration. Throws ConfigError (a SetupError) with everything that is wrong. */
export function loadConfig({ files, sets, env }: ConfigSources): Config {
  const problems: Problem[] = [];
  const layers = [
    ...files.map((file) => readFile(file, env, problems)),
    ...sets.map((option) => readSetOption(option, problems)),
  ].filter((layer) => layer !== undefined);
  const nowhere: Location = { file: files[0] ?? 'configuration', line: 0, column: 0 };
  const empty: ConfigNode = { kind: 'map', at: nowhere, entries: new Map() };
  const root = layers.reduce(mergeNodes, empty);
  // What does not parse would only cause more complaints.
  if (problems.length > 0) throw new ConfigError(problems);

  checkSections(root, problems);
  const receivers = checkComponents(root, 'receivers', RECEIVERS, problems);
  const processors = checkComponents(root, 'processors', PROCESSORS, problems);
  const exporters = checkComponents(root, 'exporters', EXPORTERS, problems);
  const declared = {
    receivers: [...receivers.keys()],
    processors: [...processors.keys()],
    exporters: [...exporters.keys()],
  };
  const pipeline = checkPipeline(root, declared, defaultExporters(env, problems), problems);
  // The options of a component that is wrong are not there to be looked at.
  if (problems.length > 0) throw new ConfigError(problems);
  const exporterConfigs = pipeline.exporters.map((id) => exporterConfig(id, exporters.get(id)));
  checkEndpoints(exporterConfigs, env, problems);
  if (problems.length > 0) throw new ConfigError(problems);

  const options = <T extends keyof typeof PROCESSORS>(type: T) =>
    processors.get(pipeline.processors.find((id) => typeOf(id) === type) ?? type) ?? PROCESSORS[type].parse({});
  return {
    receiver: (receivers.get(pipeline.receiver) ?? RECEIVERS.undersight.parse({})) as Config['receiver'],
    exchange: options('exchange') as Config['exchange'],
    redact: options('redact') as Config['redact'],
    correlate: options('correlate') as Config['correlate'],
    spans: options('spans') as Config['spans'],
    exporters: exporterConfigs,
    warnings: unusedComponents(pipeline, receivers, processors, exporters),
  };
}

function readFile(file: string, env: NodeJS.ProcessEnv, problems: Problem[]): ConfigNode | undefined {
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) throw new Error('it is a directory');
    if (stat.size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
    return readYaml(readFileSync(file, 'utf8'), file, env, problems);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    problems.push({ at: { file, line: 0, column: 0 }, path: '', message: `cannot be read: ${reason}` });
    return undefined;
  }
}

function checkSections(root: ConfigNode, problems: Problem[]): void {
  for (const [key, { key_at }] of (root as MapNode).entries) {
    if (SECTIONS.includes(key)) continue;
    problems.push({ at: key_at, path: key, message: `unknown section${suggest(key, SECTIONS)}` });
  }
}

/** The options of each component of one section, by id. */
function checkComponents(
  root: ConfigNode,
  section: string,
  schemas: typeof RECEIVERS | typeof PROCESSORS | typeof EXPORTERS,
  problems: Problem[],
): Map<string, unknown> {
  const components = new Map<string, unknown>();
  const node = childNode(root, section);
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return components;
  if (node.kind !== 'map') {
    problems.push({ at: node.at, path: section, message: 'expected a map of components' });
    return components;
  }
  const types = Object.keys(schemas);
  for (const [id, { key_at, node: options }] of node.entries) {
    const path = `${section}.${id}`;
    if (!types.includes(typeOf(id))) {
      problems.push({ at: key_at, path, message: `unknown type ${typeOf(id)}${suggest(typeOf(id), types)}` });
    } else if (!/^\w+(\/[^\s/]+)?$/.test(id)) {
      problems.push({ at: key_at, path, message: 'expected type or type/name' });
    } else {
      const schema = schemas[typeOf(id) as keyof typeof schemas];
      components.set(id, checkNode(schema, options, [section, id], problems));
    }
  }
  return components;
}

function exporterConfig(id: string, options: unknown): ExporterConfig {
  const type = typeOf(id) as ExporterConfig['type'];
  return { id, type, options: options ?? EXPORTERS[type].parse({}) } as ExporterConfig;
}

function unusedComponents(pipeline: Pipeline, ...sections: readonly Map<string, unknown>[]): string[] {
  const used = new Set([pipeline.receiver, ...pipeline.processors, ...pipeline.exporters]);
  return sections
    .flatMap((components) => [...components.keys()])
    .filter((id) => !used.has(id))
    .map((id) => `${id} is configured, but service.pipelines.traces does not name it`);
}
