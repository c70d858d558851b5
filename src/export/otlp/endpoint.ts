import { readFileSync } from 'node:fs';
import { SetupError } from '../../model/setup-error.ts';
import { isAddress, type OtlpGrpcOptions, type OtlpHttpOptions } from './options.ts';

/** Where spans go, and how the connection is secured. */
export interface Endpoint {
  /** HTTP: the whole URL. gRPC: an URL, or `host:port`. */
  readonly url: string;
  readonly secure: boolean;
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly verify: boolean;
}

/** Throws SetupError for an endpoint that is no address, or a file that cannot be read. */
export function grpcEndpoint(options: OtlpGrpcOptions, env: NodeJS.ProcessEnv): Endpoint {
  const url = grpcUrl(options, env);
  const scheme = /^([a-z]+):\/\//.exec(url)?.[1];
  const insecure = options.tls.insecure || variable(env, 'INSECURE')?.toLowerCase() === 'true';
  return { url, ...tlsFiles(options, env), secure: scheme === undefined ? !insecure : scheme !== 'http' };
}

/** The same for OTLP over HTTP. */
export function httpEndpoint(options: OtlpHttpOptions, env: NodeJS.ProcessEnv): Endpoint {
  const url = httpUrl(options, env);
  return { url, ...tlsFiles(options, env), secure: url.startsWith('https:') };
}

/** The address in effect. Throws SetupError for one that is none. */
export function grpcUrl(options: OtlpGrpcOptions, env: NodeJS.ProcessEnv): string {
  const url = options.endpoint ?? variable(env, 'ENDPOINT') ?? 'http://localhost:4317';
  if (!isAddress(url)) throw notAnAddress(url, 'localhost:4317');
  return url;
}

/** The same over HTTP: OTEL_EXPORTER_OTLP_ENDPOINT gets a path, the one for traces is taken as it is. */
export function httpUrl(options: OtlpHttpOptions, env: NodeJS.ProcessEnv): string {
  const traces = options.endpoint === undefined ? env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?.trim() : undefined;
  const base = options.endpoint ?? (env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim() || 'http://localhost:4318');
  const url = options.traces_endpoint ?? (traces || `${base.replace(/\/+$/, '')}/v1/traces`);
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw notAnAddress(traces || base, 'http://localhost:4318');
  return url;
}

/** The endpoint as a user may see it: without a password. */
export function shownUrl({ url }: Pick<Endpoint, 'url'>): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

function notAnAddress(endpoint: string, example: string): SetupError {
  return new SetupError(`${JSON.stringify(endpoint)} is no OTLP endpoint`, `Give one like ${example}.`);
}

function tlsFiles({ tls }: OtlpGrpcOptions, env: NodeJS.ProcessEnv): Pick<Endpoint, 'ca' | 'cert' | 'key' | 'verify'> {
  return {
    ca: readCertificate(tls.ca_file ?? variable(env, 'CERTIFICATE')),
    cert: readCertificate(tls.cert_file ?? variable(env, 'CLIENT_CERTIFICATE')),
    key: readCertificate(tls.key_file ?? variable(env, 'CLIENT_KEY')),
    verify: !tls.insecure_skip_verify,
  };
}

function readCertificate(path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    throw new SetupError(`cannot read ${path} for OTLP: ${reason}`, 'Name a readable PEM file.', { cause });
  }
}

/** OTEL_EXPORTER_OTLP_TRACES_{name}, else OTEL_EXPORTER_OTLP_{name}. */
function variable(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return env[`OTEL_EXPORTER_OTLP_TRACES_${name}`]?.trim() || env[`OTEL_EXPORTER_OTLP_${name}`]?.trim() || undefined;
}
