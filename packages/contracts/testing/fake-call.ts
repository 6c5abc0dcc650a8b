/** A request to a stand-in for the service, once it is checked against the contract. */
export interface FakeCall {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** Of who asks; empty where nobody is logged in. */
  readonly accountId: string;
}

/** The page of a list that a query asks for. */
export function pageOf<Item>(items: readonly Item[], query: FakeCall["query"]) {
  const start = Number(query.cursor ?? 0);
  const end = start + Number(query.limit ?? 50);
  return { items: items.slice(start, end), next_cursor: end < items.length ? String(end) : null };
}

/** Those that have what is searched for in their names. */
export function matching<Item>(
  items: readonly Item[],
  { search = "" }: FakeCall["query"],
  nameOf: (item: Item) => string,
): Item[] {
  const wanted = String(search).toLowerCase();
  return items.filter((item) => nameOf(item).toLowerCase().includes(wanted));
}

/** What a stand-in remembers of a thing, so that tests can change it. */
export type Mutable<Value> = { -readonly [Field in keyof Value]: Value[Field] };
