/** Cuts text that comes in pieces into lines. */
export interface LineCutter {
  /** Yields after so many lines that other work should have its turn. */
  push(piece: string): Generator<undefined>;
  /** Hands over the last line, which ends without a line break. */
  end(): void;
}

const LINES_AT_A_TIME = 5000;
/** Longer than any network; of a longer line the beginning counts. */
const LINE_LENGTH_MAX = 1000;

export function createLineCutter(onLine: (line: string) => void): LineCutter {
  let rest = "";
  let lines = 0;
  return {
    *push(piece) {
      let from = 0;
      for (let end = piece.indexOf("\n"); end !== -1; end = piece.indexOf("\n", from)) {
        const line = piece.slice(from, Math.min(end, from + LINE_LENGTH_MAX));
        onLine(rest === "" ? line : rest + line);
        rest = "";
        from = end + 1;
        if (++lines % LINES_AT_A_TIME === 0) yield;
      }
      if (rest.length < LINE_LENGTH_MAX) rest += piece.slice(from, from + LINE_LENGTH_MAX);
    },
    end() {
      onLine(rest);
      rest = "";
    },
  };
}
