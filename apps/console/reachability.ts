/** Whether the API can be reached, judged by the requests the page makes anyway. */
export interface Reachability {
  isReachable(): boolean;
  subscribe(changed: () => void): () => void;
  /** Waits until a request is answered again; at once where nothing says otherwise. */
  whenReachable(): Promise<void>;
  /** A `fetch` that takes note of how it went. */
  readonly fetch: typeof fetch;
}

export function createReachability(inner: typeof fetch): Reachability {
  let reachable = true;
  const subscribers = new Set<() => void>();

  function set(next: boolean): void {
    if (reachable === next) return;
    reachable = next;
    for (const changed of subscribers) changed();
  }

  function subscribe(changed: () => void): () => void {
    subscribers.add(changed);
    return () => subscribers.delete(changed);
  }

  return {
    isReachable: () => reachable,
    subscribe,
    whenReachable: () =>
      new Promise((resolve) => {
        if (reachable) return resolve();
        const unsubscribe = subscribe(() => {
          unsubscribe(); // it is told of changes only: this one is that it is there
          resolve();
        });
      }),
    fetch: async (input, init) => {
      try {
        const response = await inner(input, init);
        // What a proxy answers when there is nothing behind it.
        set(response.status !== 502 && response.status !== 504);
        return response;
      } catch (error) {
        if (!init?.signal?.aborted) set(false);
        throw error;
      }
    },
  };
}
