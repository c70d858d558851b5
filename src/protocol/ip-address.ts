/** Four bytes as dotted text, sixteen as RFC 5952 says. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const groups = Array.from({ length: bytes.length / 2 }, (_, index) => view.getUint16(2 * index).toString(16));
  const text = groups.join(':');
  /** Of the runs of at least two zero groups the longest is left out, the first of equals. */
  let longest = '';
  for (const [run] of text.matchAll(/\b0(?::0\b)+/g)) if (run.length > longest.length) longest = run;
  if (longest === '') return text;
  const start = text.search(new RegExp(`\\b${longest}\\b`));
  const before = text.slice(0, start).replace(/:$/, '');
  return `${before}::${text.slice(start + longest.length).replace(/^:/, '')}`;
}
