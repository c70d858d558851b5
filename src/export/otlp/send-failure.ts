/** Why a batch was not taken. */
export interface SendFailure {
  /** Short, in our words: a server's text is not shown. */
  readonly reason: string;
  /** Sending the same again may help. */
  readonly retryable: boolean;
}

const NETWORK_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'unknown host',
  EAI_AGAIN: 'the host name cannot be resolved now',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
};
/** gRPC status codes; those that OTLP calls retryable (OTLP specification, "OTLP/gRPC Throttling", "Failures"). */
const GRPC_STATUS = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
  ...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];
const GRPC_RETRYABLE = ['CANCELLED', 'DEADLINE_EXCEEDED', 'ABORTED', 'OUT_OF_RANGE', 'UNAVAILABLE', 'DATA_LOSS'];

/** What an error of OTel's HTTP exporter means. Only a refusal that is final has a status code. */
export function httpFailure(error: Error | undefined): SendFailure {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (typeof code === 'number') return { reason: `HTTP status ${code}`, retryable: false };
  return { reason: networkReason(code, error?.message) ?? 'it is not ready', retryable: true };
}

/** What an error of OTel's gRPC exporter means. */
export function grpcFailure(error: Error | undefined): SendFailure {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const status = typeof code === 'number' ? GRPC_STATUS[code] : undefined;
  const network = status === 'UNAVAILABLE' || status === undefined ? networkReason(code, error?.message) : undefined;
  return {
    reason: network ?? (status === undefined ? 'it cannot be reached' : `gRPC status ${status}`),
    retryable: status === undefined || GRPC_RETRYABLE.includes(status),
  };
}

function networkReason(code: unknown, message = ''): string | undefined {
  const name = typeof code === 'string' ? code : (/\b(E[A-Z_]{4,}|[A-Z]+_CERT[A-Z_]*)\b/.exec(message)?.[1] ?? '');
  if (name !== '') return NETWORK_REASONS[name] ?? name;
  return /timed out/.test(message) ? NETWORK_REASONS.ETIMEDOUT : undefined;
}
