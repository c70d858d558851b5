/** The functions of OpenSSL's interface at whose boundary plaintext is read. */
export type TlsFunctionName = 'SSL_read' | 'SSL_read_ex' | 'SSL_write' | 'SSL_write_ex' | 'SSL_free';

/** A file that holds an OpenSSL, shared library or executable. */
export interface TlsLibrary {
  /** How it was opened; may lead through `/proc/PID/root`. */
  readonly path: string;
  /** Together they name the file, whatever its paths. */
  readonly device: bigint;
  readonly inode: bigint;
  /** Lower-case hex; undefined when the file carries none. */
  readonly build_id: string | undefined;
  readonly functions: readonly { readonly name: TlsFunctionName; readonly file_offset: bigint }[];
}
