/** Gathers numbers of accounts and tells of them together, so that who listens works once for many reports. */
export interface Gathering {
  add(accountNumber: number): void;
  subscribe(changed: (accountIds: Iterable<string>) => void): () => void;
  /** Tells at once what was gathered. */
  flush(): void;
}

const GATHER_MS = 1000;

export function createGathering(idOf: (accountNumber: number) => string | undefined): Gathering {
  const subscribers = new Set<(accountIds: Iterable<string>) => void>();
  let gathered = new Set<number>();
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (gathered.size === 0) return;
    const ids = Array.from(gathered, idOf).filter((id) => id !== undefined);
    gathered = new Set();
    for (const changed of subscribers) changed(ids);
  }

  return {
    add(accountNumber) {
      if (subscribers.size === 0) return;
      gathered.add(accountNumber);
      timer ??= setTimeout(flush, GATHER_MS).unref();
    },
    subscribe(changed) {
      subscribers.add(changed);
      return () => subscribers.delete(changed);
    },
    flush,
  };
}
