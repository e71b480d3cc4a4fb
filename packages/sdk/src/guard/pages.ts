import type { CallerState } from '../session/caller-session.js';
import type { GuardContext } from './guard-context.js';
import { type JsonObject, type RpcResponse, isObject } from './json-rpc.js';

const maxPages = 1_000;

/**
 * All pages of a list as one: a page that is left empty, or a cursor, would tell how much is hidden. Answers the server's
 * error where one of the pages fails.
 */
export async function mergePages(
  context: Pick<GuardContext, 'ask' | 'log'>,
  list: { readonly method: string; readonly key: string; readonly extra: unknown; readonly state: CallerState },
  first: JsonObject,
): Promise<{ readonly result: JsonObject } | { readonly error: RpcResponse }> {
  const { method, key, extra, state } = list;
  const items = itemsOf(first, key);
  const cursors = new Set<string>();
  let page: JsonObject = first;
  while (typeof page['nextCursor'] === 'string') {
    const cursor = page['nextCursor'];
    if (cursors.has(cursor) || cursors.size >= maxPages) {
      context.log.warn(`${method} does not come to an end: the pages after the ${cursors.size}th are left out`);
      break;
    }
    cursors.add(cursor);
    const response = await context.ask(method, { cursor }, { extra, state });
    if (!isObject(response.result)) return { error: response };
    page = response.result;
    for (const item of itemsOf(page, key)) items.push(item);
  }
  const { nextCursor: _, ...rest } = first;
  return { result: { ...rest, [key]: items } };
}

function itemsOf(page: JsonObject, key: string): unknown[] {
  const items = page[key];
  return Array.isArray(items) ? [...items] : [];
}
