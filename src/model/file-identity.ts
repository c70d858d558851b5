interface FileTimes {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** Tells the contents of one file at different times apart: size and times of last change, as of a `fs.BigIntStats`. */
export function versionOf({ size, mtimeNs, ctimeNs }: FileTimes): string {
  return `${size}:${mtimeNs}:${ctimeNs}`;
}

/** Names a file with these very contents, whatever its paths. */
export function identityOf(stat: FileTimes & { readonly dev: bigint; readonly ino: bigint }): string {
  return `${stat.dev}:${stat.ino}:${versionOf(stat)}`;
}
