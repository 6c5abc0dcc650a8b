/** Whether the API can be reached, judged by the requests the page makes anyway. */
export interface Reachability {
  isReachable(): boolean;
  subscribe(changed: () => void): () => void;
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

  return {
    isReachable: () => reachable,
    subscribe(changed) {
      subscribers.add(changed);
      return () => subscribers.delete(changed);
    },
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
