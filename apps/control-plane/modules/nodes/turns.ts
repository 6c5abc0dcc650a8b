/** Does work one call after the other; calls that come while it is done are gathered into one more. */
export function gathered(work: () => Promise<void>): () => Promise<void> {
  let doing: Promise<void> | undefined;
  let isWanted = false;
  return () => {
    isWanted = true;
    doing ??= (async () => {
      while (isWanted) {
        isWanted = false;
        await work();
      }
    })().finally(() => {
      doing = undefined;
    });
    return doing;
  };
}

/** Does so much at once, and the rest in the order in which it came. */
export function createTurns(atOnceMax: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy >= atOnceMax) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else busy--;
    }
  };
}
