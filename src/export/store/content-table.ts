import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type ContentTable, compress, decompress } from './span-codec.ts';

/** The `content` table: each text once, found by the SHA-256 of its UTF-8 bytes. */
export function createContentTable(database: DatabaseSync): ContentTable {
  const find = database.prepare('SELECT id FROM content WHERE hash = ?');
  const insert = database.prepare('INSERT INTO content (hash, body) VALUES (?, ?)');
  const read = database.prepare('SELECT body FROM content WHERE id = ?');
  return {
    put(text) {
      const hash = createHash('sha256').update(text).digest();
      return Number(find.get(hash)?.id ?? insert.run(hash, compress(text)).lastInsertRowid);
    },
    /** Throws when it is missing: the store is damaged. */
    get(id) {
      const body = read.get(id)?.body;
      if (body === undefined) throw new Error(`content ${id} is missing from the trace store`);
      return decompress(body as string | Uint8Array);
    },
  };
}
