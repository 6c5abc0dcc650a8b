/** Where bytes go, piece by piece. A piece may be used again once it is written. */
export interface Sink {
  write(chunk: Buffer): void | Promise<void>;
  end(): void | Promise<void>;
}

/** Gives the bytes that were written into a sink, in pieces of the size that is asked for. */
export interface Reader {
  /** How many bytes were read. */
  offset(): number;
  /** So many bytes, or fewer where the end is nearer. The buffer is the caller's. */
  read(count: number): Promise<Buffer>;
  /** What is at hand, at least a byte; empty at the end. */
  piece(countMax?: number): Promise<Buffer>;
  skip(count: number): Promise<void>;
}

const EMPTY = Buffer.alloc(0);

/**
 * Makes a sink of a function that reads. What the function leaves unread is taken and forgotten.
 *
 * @param parse must not throw for bad content
 */
export function readingSink(parse: (reader: Reader) => Promise<void>): Sink {
  let at: Buffer = EMPTY;
  let offset = 0;
  let isEnded = false;
  let isDone = false;
  let wakeReader = () => {};
  let wakeWriter = () => {};

  /** Waits until there is a byte or the end. */
  async function fill(): Promise<void> {
    while (at.length === 0 && !isEnded) {
      const woken = new Promise<void>((resolve) => {
        wakeReader = resolve;
      });
      wakeWriter();
      await woken;
    }
  }
  async function piece(countMax = Number.POSITIVE_INFINITY): Promise<Buffer> {
    await fill();
    const taken = at.subarray(0, Math.min(at.length, countMax));
    at = at.subarray(taken.length);
    offset += taken.length;
    return taken;
  }
  const reader: Reader = {
    offset: () => offset,
    piece,
    async read(count) {
      const pieces: Buffer[] = [];
      for (let missing = count; missing > 0; ) {
        const next = await piece(missing);
        if (next.length === 0) break;
        pieces.push(Buffer.from(next));
        missing -= next.length;
      }
      return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
    },
    async skip(count) {
      for (let missing = count; missing > 0; ) {
        const next = await piece(missing);
        if (next.length === 0) return;
        missing -= next.length;
      }
    },
  };
  let failure: unknown;
  const parsing = parse(reader)
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => {
      isDone = true;
      wakeWriter();
    });
  return {
    async write(chunk) {
      if (isDone) return;
      const taken = new Promise<void>((resolve) => {
        wakeWriter = resolve;
      });
      at = chunk;
      wakeReader();
      await taken;
    },
    async end() {
      isEnded = true;
      wakeReader();
      await parsing;
      if (failure !== undefined) throw failure;
    },
  };
}
