import { setImmediate as breathe } from "node:timers/promises";
import { createLineCutter } from "./lines.ts";
import { createRangesBuilder, type Ranges } from "./ranges.ts";

export type ListedBy = "block" | "allow";

/** What a load found. */
export interface LoadReport {
  readonly networks: number;
  /** Lines that are neither a network nor a comment. */
  readonly badLines: number;
  /** Number of the first bad line, from 1, counted through all pieces. */
  readonly firstBadLine: number | undefined;
}

/** Addresses known as bad or good, by lists of networks. */
export interface Reputation {
  /**
   * Puts a list in place of the one before, once it is read to its end; where reading fails, that one stays. Other
   * work goes on meanwhile. Of two loads at once the one that began later counts.
   *
   * @param text one network in CIDR form or address a line, comments behind `#` or `;`; in pieces of any size
   */
  replace(list: ListedBy, text: string | Iterable<string> | AsyncIterable<string>): Promise<LoadReport>;
  /** The allow list wins. */
  find(address: string): ListedBy | undefined;
  /** Stretches of addresses, and the bytes they take. */
  size(): { readonly ranges: number; readonly bytes: number };
}

export function createReputation(): Reputation {
  const empty = createRangesBuilder().build();
  const lists: Record<ListedBy, Ranges> = { block: empty, allow: empty };
  const loads: Record<ListedBy, { begun: number; latest: number }> = {
    block: { begun: 0, latest: 0 },
    allow: { begun: 0, latest: 0 },
  };

  return {
    async replace(list, text) {
      const load = ++loads[list].begun;
      const { ranges, report } = await read(typeof text === "string" ? [text] : text);
      if (load > loads[list].latest) {
        loads[list].latest = load;
        lists[list] = ranges;
      }
      return report;
    },
    find(address) {
      if (lists.allow.count > 0 && lists.allow.has(address)) return "allow";
      return lists.block.count > 0 && lists.block.has(address) ? "block" : undefined;
    },
    size: () => ({
      ranges: lists.block.count + lists.allow.count,
      bytes: lists.block.bytes + lists.allow.bytes,
    }),
  };
}

async function read(
  text: Iterable<string> | AsyncIterable<string>,
): Promise<{ ranges: Ranges; report: LoadReport }> {
  const builder = createRangesBuilder();
  const report = { networks: 0, badLines: 0, firstBadLine: undefined as number | undefined };
  let number = 0;
  const lines = createLineCutter((line) => {
    number++;
    const network = networkIn(line);
    if (network === "") return;
    if (builder.add(network)) report.networks++;
    else {
      report.badLines++;
      report.firstBadLine ??= number;
    }
  });
  for await (const piece of text) {
    for (const _pause of lines.push(piece)) await breathe();
  }
  lines.end();
  return { ranges: await inSlices(builder.buildInSlices()), report };
}

async function inSlices<Result>(slices: Generator<undefined, Result>): Promise<Result> {
  for (;;) {
    const { done, value } = slices.next();
    if (done) return value;
    await breathe();
  }
}

function networkIn(line: string): string {
  const hash = line.indexOf("#");
  const semicolon = line.indexOf(";");
  if (hash === -1 && semicolon === -1) return line.trim();
  const end = hash === -1 ? semicolon : semicolon === -1 ? hash : Math.min(hash, semicolon);
  return line.slice(0, end).trim();
}
