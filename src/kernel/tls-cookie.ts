import type { TlsFunctionName } from '../model/tls-library.ts';
import { tls_cookie, tls_function } from './events.gen.ts';

const { TLS_FUNCTION_READ, TLS_FUNCTION_READ_EX, TLS_FUNCTION_WRITE, TLS_FUNCTION_WRITE_EX, TLS_FUNCTION_FREE } =
  tls_function;
const { TLS_COOKIE_LENGTH_FIFTH, TLS_COOKIE_NO_DATA, TLS_COOKIE_NSPR, TLS_COOKIE_NSPR_FLAGS } = tls_cookie;

/** How each function is called, and what is special about it. */
const CALLS: Readonly<Record<TlsFunctionName, number>> = {
  SSL_read: TLS_FUNCTION_READ,
  SSL_read_ex: TLS_FUNCTION_READ_EX,
  SSL_read_early_data: TLS_FUNCTION_READ_EX,
  SSL_write: TLS_FUNCTION_WRITE,
  SSL_write_ex: TLS_FUNCTION_WRITE_EX,
  SSL_write_ex2: TLS_FUNCTION_WRITE_EX | TLS_COOKIE_LENGTH_FIFTH,
  SSL_write_early_data: TLS_FUNCTION_WRITE_EX,
  // What it sends never was in memory: it cannot be read there, and counts as lost.
  SSL_sendfile: TLS_FUNCTION_WRITE,
  SSL_free: TLS_FUNCTION_FREE,
  ssl_read_internal: TLS_FUNCTION_READ_EX,
  ssl_write_internal: TLS_FUNCTION_WRITE_EX,
  ssl_write_internal_flags: TLS_FUNCTION_WRITE_EX | TLS_COOKIE_LENGTH_FIFTH,
  gnutls_record_recv: TLS_FUNCTION_READ,
  gnutls_record_recv_seq: TLS_FUNCTION_READ,
  gnutls_record_send: TLS_FUNCTION_WRITE,
  gnutls_record_send2: TLS_FUNCTION_WRITE,
  gnutls_record_send_range: TLS_FUNCTION_WRITE,
  // What was held back counted when it was given.
  gnutls_record_uncork: TLS_FUNCTION_WRITE | TLS_COOKIE_NO_DATA,
  gnutls_deinit: TLS_FUNCTION_FREE,
  PR_Read: TLS_FUNCTION_READ | TLS_COOKIE_NSPR,
  PR_Recv: TLS_FUNCTION_READ | TLS_COOKIE_NSPR | TLS_COOKIE_NSPR_FLAGS,
  PR_Write: TLS_FUNCTION_WRITE | TLS_COOKIE_NSPR,
  PR_Send: TLS_FUNCTION_WRITE | TLS_COOKIE_NSPR,
  PR_Close: TLS_FUNCTION_FREE | TLS_COOKIE_NSPR,
  mbedtls_ssl_read: TLS_FUNCTION_READ,
  mbedtls_ssl_write: TLS_FUNCTION_WRITE,
  mbedtls_ssl_free: TLS_FUNCTION_FREE,
  wolfSSL_read: TLS_FUNCTION_READ,
  wolfSSL_write: TLS_FUNCTION_WRITE,
  wolfSSL_free: TLS_FUNCTION_FREE,
  s2n_recv: TLS_FUNCTION_READ,
  s2n_send: TLS_FUNCTION_WRITE,
  s2n_connection_free: TLS_FUNCTION_FREE,
  rustls_encrypt: tls_function.TLS_FUNCTION_RUSTLS_ENCRYPT,
  rustls_decrypt: tls_function.TLS_FUNCTION_RUSTLS_DECRYPT,
  go_conn_read: tls_function.TLS_FUNCTION_GO_READ,
  go_conn_write: tls_function.TLS_FUNCTION_GO_WRITE,
  go_conn_close: tls_function.TLS_FUNCTION_GO_CLOSE,
};

/** What the programs are told about the function that a probe is on; `library` comes back with each of its records. */
export function cookieOf(name: TlsFunctionName, library: number): bigint {
  return (BigInt(library) << 32n) | BigInt(CALLS[name]);
}

/** Whose programs know how it is called. */
export function groupOf({ name }: { readonly name: TlsFunctionName }): 'tls' | 'rustls' | 'go' {
  const call = CALLS[name] & tls_cookie.TLS_COOKIE_FUNCTION;
  if (call >= tls_function.TLS_FUNCTION_GO_READ) return 'go';
  return call >= tls_function.TLS_FUNCTION_RUSTLS_ENCRYPT ? 'rustls' : 'tls';
}

/** Whether nothing is to be learned from what it returns. */
export function isFree(name: TlsFunctionName): boolean {
  return (CALLS[name] & tls_cookie.TLS_COOKIE_FUNCTION) === TLS_FUNCTION_FREE;
}
