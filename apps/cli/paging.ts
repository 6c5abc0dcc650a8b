/** One page of a list, as every list of the API answers. */
export interface ListPage<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string;
}

export type ReadPage<Item> = (query: PageRequest) => Promise<ListPage<Item>>;

/** The most that one request gives. */
const PAGE_ITEMS_MAX = 100;

/**
 * Follows cursors until so many items are there, or the list has ended.
 *
 * @param limit Infinity for the whole list
 */
export async function readPages<Item>(
  read: ReadPage<Item>,
  limit: number,
  cursor?: string,
): Promise<{ items: Item[]; next_cursor: string | null }> {
  const items: Item[] = [];
  let next = cursor;
  for (;;) {
    const pageLimit = Math.min(PAGE_ITEMS_MAX, limit - items.length);
    const page = await read({ limit: pageLimit, ...(next !== undefined && { cursor: next }) });
    items.push(...page.items);
    if (page.next_cursor === null || items.length >= limit) return { items, next_cursor: page.next_cursor };
    next = page.next_cursor;
  }
}
