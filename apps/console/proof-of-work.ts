/** Does one proof of work and tells how far it has come, from 0 to 1. */
export type Solve = (
  challenge: string,
  onProgress: (done: number) => void,
  signal?: AbortSignal,
) => Promise<string>;

/** What the worker says: how far it is, from 0 to 1; and how it ended. */
export type WorkerMessage =
  | { readonly done: number }
  | { readonly solution: string }
  | { readonly problem: string };

/** The work that the service asks for while it is under attack, and how far it has come. */
export interface ProofOfWork {
  /** From 0 to 1; undefined while there is no work. */
  progress(): number | undefined;
  subscribe(changed: () => void): () => void;
  readonly solve: (challenge: string, signal?: AbortSignal) => Promise<string>;
}

export function createProofOfWork(solve: Solve): ProofOfWork {
  let progress: number | undefined;
  let underWay = 0;
  const subscribers = new Set<() => void>();

  function set(next: number | undefined): void {
    progress = next;
    for (const changed of subscribers) changed();
  }

  return {
    progress: () => progress,
    subscribe(changed) {
      subscribers.add(changed);
      return () => subscribers.delete(changed);
    },
    async solve(challenge, signal) {
      underWay++;
      set(progress ?? 0);
      try {
        return await solve(challenge, (done) => set(Math.min(1, Math.max(0, done))), signal);
      } finally {
        underWay--;
        if (underWay === 0) set(undefined);
      }
    },
  };
}
