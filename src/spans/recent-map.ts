/** A map that forgets its oldest entries. */
export interface RecentMap<Value> {
  set(key: string, value: Value): void;
  get(key: string): Value | undefined;
}

export function createRecentMap<Value>(max_entries: number): RecentMap<Value> {
  const entries = new Map<string, Value>();
  return {
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      const [oldest] = entries.keys();
      if (entries.size > max_entries && oldest !== undefined) entries.delete(oldest);
    },
    get: (key) => entries.get(key),
  };
}
