/**
 * The functions at whose boundary plaintext is read: those of OpenSSL's interface, the implementations of rustls's traits
 * `MessageEncrypter` and `MessageDecrypter`, of which a file may hold several, and the methods of Go's crypto/tls.Conn.
 */
export type TlsFunctionName =
  | 'SSL_read'
  | 'SSL_read_ex'
  | 'SSL_write'
  | 'SSL_write_ex'
  | 'SSL_free'
  | 'rustls_encrypt'
  | 'rustls_decrypt'
  | 'go_conn_read'
  | 'go_conn_write'
  | 'go_conn_close';

/** How the functions were found: by symbols, in the machine code of OpenSSL or BoringSSL, by rustls's vtables or Go's function table. */
export type TlsFamilyName = 'openssl-symbols' | 'openssl-static' | 'boringssl' | 'rustls' | 'go';

export interface TlsFunction {
  readonly name: TlsFunctionName;
  /** Where it begins. */
  readonly file_offset: bigint;
  /** How far behind its beginning a probe costs less, with the stack and the arguments still as they were; 0 by default. */
  readonly probe_skip_bytes?: number;
  /** Its return instructions, to be probed where the return address must not be replaced. */
  readonly return_offsets?: readonly bigint[];
}

/** A file that holds TLS functions, shared library or executable. */
export interface TlsLibrary {
  /** How it was opened; may lead through `/proc/PID/root`. */
  readonly path: string;
  /** Together they name the file, whatever its paths. */
  readonly device: bigint;
  readonly inode: bigint;
  /** Lower-case hex; undefined when the file carries none. */
  readonly build_id: string | undefined;
  /** More than one when several libraries are linked into it. */
  readonly families: readonly TlsFamilyName[];
  readonly functions: readonly TlsFunction[];
  /** For people: what each function was known by. */
  readonly evidence: readonly string[];
}
