import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Config, ExporterConfig } from '../../config/components.ts';
import { grpcEndpoint, httpEndpoint } from '../../export/otlp/endpoint.ts';
import { defaultStorePath } from '../../export/store/store-path.ts';
import { openStoredTraces } from '../../export/store/stored-traces.ts';
import { SetupError } from '../../model/setup-error.ts';
import { type Finding, missing, ok } from './finding.ts';

type OtlpExporterConfig = Extract<ExporterConfig, { type: 'otlp_grpc' | 'otlp_http' }>;

const CONNECT_TIMEOUT_MS = 2000;

/** Whether each exporter of the configuration can do its work. */
export async function findExporters(config: Config, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const findings = config.exporters.map((exporter): Finding | Promise<Finding> => {
    if (exporter.type === 'console') return ok(exporter.id, 'standard output');
    if (exporter.type === 'store') return findStore(exporter.id, exporter.options.path ?? defaultStorePath(env));
    return findEndpoint(exporter, env);
  });
  return Promise.all(findings);
}

function findStore(id: string, path: string): Finding {
  try {
    openStoredTraces(path)?.close();
    let existing = path;
    while (!existsSync(existing)) existing = dirname(existing);
    if (existing !== path && !statSync(existing).isDirectory()) throw new Error(`${existing} is not a directory`);
    accessSync(existing, constants.W_OK);
    return ok(id, existing === path ? path : `${path} (will be created)`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const fix =
      error instanceof SetupError ? error.fix : 'Name another file with UNDERSIGHT_STORE or exporters.store.path.';
    return missing(id, reason, fix);
  }
}

/** Opens a TCP connection and closes it: nothing is sent. */
async function findEndpoint(exporter: OtlpExporterConfig, env: NodeJS.ProcessEnv): Promise<Finding> {
  const { id } = exporter;
  let url: URL;
  try {
    const endpoint =
      exporter.type === 'otlp_grpc' ? grpcEndpoint(exporter.options, env) : httpEndpoint(exporter.options, env);
    url = new URL(
      endpoint.url.includes('://') ? endpoint.url : `${endpoint.secure ? 'https' : 'http'}://${endpoint.url}`,
    );
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return missing(id, error.message, error.fix);
  }
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const reason = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port });
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('no answer')));
    socket.on('connect', () => resolve(undefined)).on('connect', () => socket.destroy());
    socket.on('error', (error) => resolve(error.message));
  });
  if (reason === undefined) return ok(id, `${url.host} answers`);
  return missing(id, `${url.host} cannot be reached: ${reason}`, 'Start the collector there, or correct the endpoint.');
}
