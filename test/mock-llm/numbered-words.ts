/** `size_bytes` of words in which a missing, doubled or swapped piece shows: each is numbered. */
export function numberedWords(size_bytes: number): string {
  const words: string[] = [];
  for (let length = 0, index = 0; length < size_bytes; index++) {
    const word = `word${index} `;
    words.push(word);
    length += word.length;
  }
  return words.join('').slice(0, size_bytes);
}
