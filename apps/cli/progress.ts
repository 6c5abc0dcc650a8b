import type { Call } from "./call.ts";

export interface Progress {
  /** @param share from 0 to 1 */
  readonly show: (share: number) => void;
  /** Takes the bar away. */
  readonly end: () => void;
}

/** A bar for each step of a work, one after the other. */
export function createSteps(call: Call): {
  readonly show: (label: string, share: number) => void;
  readonly end: () => void;
} {
  let shown: { readonly label: string; readonly bar: Progress } | undefined;
  return {
    show(label, share) {
      if (shown?.label !== label) {
        shown?.bar.end();
        shown = { label, bar: createProgress(call, label) };
      }
      shown.bar.show(share);
    },
    end: () => shown?.bar.end(),
  };
}

const BAR_CELLS = 30;
const CLEAR_LINE = "\r\x1b[2K";

/** A bar on the terminal of a person; where there is none, and with `--json`, nothing. */
export function createProgress({ environment, out }: Call, label: string): Progress {
  const { env, stderr } = environment;
  const isShown = stderr.isTTY === true && env.TERM !== "dumb" && !out.json;
  let shownPercent = -1;
  return {
    show(share) {
      if (!isShown) return;
      const percent = Math.min(100, Math.floor(100 * share));
      if (percent === shownPercent) return;
      shownPercent = percent;
      const bar = "#".repeat(Math.round((percent * BAR_CELLS) / 100)).padEnd(BAR_CELLS, ".");
      const line = `${label} [${bar}] ${percent} %`;
      stderr.write(`${CLEAR_LINE}${line.slice(0, (stderr.columns || line.length + 1) - 1)}`);
    },
    end() {
      if (shownPercent >= 0) stderr.write(CLEAR_LINE);
    },
  };
}
