import type { HttpRequestHead } from './provider.ts';

/** The path of a request's target, without query and trailing slash. */
export function requestPath(head: HttpRequestHead): string {
  const path = head.target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** Is it a POST to a path that `pattern` matches? */
export function isPostTo(head: HttpRequestHead, pattern: RegExp): boolean {
  return head.method === 'POST' && pattern.test(requestPath(head));
}
