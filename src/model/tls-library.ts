/**
 * The functions at whose boundary plaintext is read. Of OpenSSL, also its inner ones, which all of its own lead to:
 * `ssl_write_internal_flags` is that of OpenSSL 3.3, with one argument more. Of rustls, the implementations of its traits
 * `MessageEncrypter` and `MessageDecrypter`, of which a file may hold several. Of Go, the methods of crypto/tls.Conn.
 */
export const TLS_FUNCTION_NAMES = [
  'SSL_read',
  'SSL_read_ex',
  'SSL_read_early_data',
  'SSL_write',
  'SSL_write_ex',
  'SSL_write_ex2',
  'SSL_write_early_data',
  'SSL_sendfile',
  'SSL_free',
  'ssl_read_internal',
  'ssl_write_internal',
  'ssl_write_internal_flags',
  'gnutls_record_recv',
  'gnutls_record_recv_seq',
  'gnutls_record_send',
  'gnutls_record_send2',
  'gnutls_record_send_range',
  'gnutls_record_uncork',
  'gnutls_deinit',
  'PR_Read',
  'PR_Recv',
  'PR_Write',
  'PR_Send',
  'PR_Close',
  'mbedtls_ssl_read',
  'mbedtls_ssl_write',
  'mbedtls_ssl_free',
  'wolfSSL_read',
  'wolfSSL_write',
  'wolfSSL_free',
  's2n_recv',
  's2n_send',
  's2n_connection_free',
  'rustls_encrypt',
  'rustls_decrypt',
  'go_conn_read',
  'go_conn_write',
  'go_conn_close',
] as const;

export type TlsFunctionName = (typeof TLS_FUNCTION_NAMES)[number];

/**
 * How the functions were found: by a library's symbols, in a list of builds, by Go's function table, in the machine code of
 * OpenSSL or BoringSSL, or by rustls's vtables.
 */
export const TLS_FAMILY_NAMES = [
  'openssl-symbols',
  'gnutls',
  'nspr',
  'mbedtls',
  'wolfssl',
  's2n',
  'known-build',
  'go',
  'openssl-static',
  'boringssl',
  'rustls',
] as const;

export type TlsFamilyName = (typeof TLS_FAMILY_NAMES)[number];

export interface TlsFunction {
  readonly name: TlsFunctionName;
  /** Where it begins. */
  readonly file_offset: bigint;
  /**
   * How far behind its beginning the probe stands, with the stack and the arguments still as they were: where one costs less, or
   * (Go) where the function does not begin anew. 0 by default.
   */
  readonly probe_skip_bytes?: number;
  /** Its return instructions, to be probed where the return address must not be replaced (Go); none where its end tells nothing. */
  readonly return_offsets?: readonly bigint[];
}

/** A file that holds functions of TLS libraries, shared library or executable. */
export interface TlsLibrary {
  /** How it was opened; may lead through `/proc/PID/root`. */
  readonly path: string;
  /** Together they name the file, whatever its paths. */
  readonly device: bigint;
  readonly inode: bigint;
  /** Of its contents, when they were looked into (`versionOf`). */
  readonly version: string;
  /** Lower-case hex; undefined when the file carries none. */
  readonly build_id: string | undefined;
  /** More than one when several libraries are linked into it. */
  readonly families: readonly TlsFamilyName[];
  readonly functions: readonly TlsFunction[];
  /** For people: what each function was known by. */
  readonly evidence: readonly string[];
}
