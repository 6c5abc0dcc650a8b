import type { Client } from "@securewave/contracts";

/** What checklists ask the service, each at most once, however many items look at it. */
export type Facts = ReturnType<typeof createFacts>;

const PAGE = { limit: 100 } as const;

export function createFacts(api: Client, nowMs: number) {
  return {
    nowMs,
    health: once(() => api.alerts.health()),
    alerts: once(async () => (await api.alerts.list()).items),
    alertHistory: once(async () => (await api.alerts.history({ query: PAGE })).items),
    jobs: once(async () => (await api.jobs.list()).items),
    backups: once(() => api.backups.state()),
    sla: once(() => api.sla.month({ query: {} })),
    nodes: once(async () => readAll((cursor) => api.nodes.list({ query: { ...PAGE, ...cursor } }))),
    blocks: once(async () => (await api.blocks.list({ query: PAGE })).items),
    requests: once(async () => (await api.privacyDesk.requests({ query: { ...PAGE, state: "open" } })).items),
    drills: once(async () => (await api.drills.list({ query: PAGE })).items),
    zeroLog: once(async () => (await api.zeroLog.latest()).report),
    incidents: once(async () => (await api.statusDesk.incidents({ query: PAGE })).items),
    breach: once(async () => (await api.breaches.list({ query: { limit: 1 } })).items[0]),
    /** Acts of staff since a day. */
    acts: (from: string) => api.audit.list({ query: { ...PAGE, from } }).then(({ items }) => items),
  };
}

function once<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let asked: Promise<Value> | undefined;
  return () => {
    asked ??= read();
    return asked;
  };
}

async function readAll<Item>(
  read: (cursor: { readonly cursor?: string }) => Promise<{ items: Item[]; next_cursor: string | null }>,
): Promise<Item[]> {
  const all: Item[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await read(cursor === undefined ? {} : { cursor });
    all.push(...page.items);
    cursor = page.next_cursor;
  }
  return all;
}
