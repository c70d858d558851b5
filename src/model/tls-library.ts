/**
 * The functions at whose boundary plaintext is read: those of OpenSSL's interface, and the implementations of rustls's
 * traits `MessageEncrypter` and `MessageDecrypter`, of which a file may hold several.
 */
export type TlsFunctionName =
  | 'SSL_read'
  | 'SSL_read_ex'
  | 'SSL_write'
  | 'SSL_write_ex'
  | 'SSL_free'
  | 'rustls_encrypt'
  | 'rustls_decrypt';

/** How the functions were found: by their symbols, in the machine code of OpenSSL or BoringSSL, or by rustls's vtables. */
export type TlsFamilyName = 'openssl-symbols' | 'openssl-static' | 'boringssl' | 'rustls';

export interface TlsFunction {
  readonly name: TlsFunctionName;
  readonly file_offset: bigint;
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
