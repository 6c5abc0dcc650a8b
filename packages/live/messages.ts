import {
  type BatchFrame,
  decodeFigures,
  decodeSettled,
  encodeFigures,
  encodeSettled,
  type ReportFrame,
} from "@securewave/contracts/node-frames";
import type { Figures } from "./figures.ts";
import type { NodePresence, NodeVitals } from "./presence.ts";
import type { NodeRoster } from "./rosters.ts";

/** What replicas tell each other, each under the name of the one that says it. */
export type Message = { readonly from: string } & (
  | { readonly kind: "beat"; readonly nodes: readonly BeatNode[] }
  /** Asks whoever has them for these nodes whole; for all without a list. */
  | { readonly kind: "ask"; readonly ids?: readonly string[] }
  | ({ readonly kind: "whole" } & WholeNode)
  | {
      readonly kind: "slots";
      readonly id: string;
      readonly incarnation: string;
      readonly number: number;
      readonly peers: readonly string[];
      readonly owners: readonly (string | null)[];
    }
  /** A report or a batch, as the node sent it. */
  | { readonly kind: "figures"; readonly id: string; readonly incarnation: string; readonly bytes: string }
  | { readonly kind: "close"; readonly id: string; readonly batch: number }
  | { readonly kind: "settled"; readonly id: string; readonly incarnation: string; readonly batch: number }
);

export interface BeatNode {
  readonly id: string;
  readonly presence: Omit<NodePresence, "problem"> & { readonly problem: string | null };
  readonly vitals: NodeVitals | null;
  /** Null while the node has not said its roster. */
  readonly incarnation: string | null;
  readonly number: number;
}

export interface WholeNode {
  readonly id: string;
  readonly incarnation: string;
  readonly number: number;
  readonly batch: number;
  readonly isCounted: boolean;
  readonly peers: readonly string[];
  readonly owners: readonly (string | null)[];
  readonly settled: string;
  /** The last report; null before the first. */
  readonly report: string | null;
}

export function beatOf(
  id: string,
  presence: NodePresence,
  vitals: NodeVitals | undefined,
  figures: Figures | undefined,
): BeatNode {
  return {
    id,
    presence: { ...presence, problem: presence.problem ?? null },
    vitals: vitals ?? null,
    incarnation: figures?.incarnation ?? null,
    number: figures?.number ?? 0,
  };
}

export function wholeOf(figures: Figures, ownerOf: (slot: number) => string | undefined): WholeNode {
  const { nodeId: id, incarnation, number, batch, isCounted, keys, hasReport } = figures;
  const slots = keys.length;
  const settled = encodeSettled({
    received: figures.settledReceived.subarray(0, slots),
    sent: figures.settledSent.subarray(0, slots),
  });
  const report = encodeText({
    kind: "report",
    roster: number,
    sequence: 0,
    received: figures.received.subarray(0, slots),
    sent: figures.sent.subarray(0, slots),
    ages: figures.ages.subarray(0, slots),
  });
  return {
    id,
    incarnation,
    number,
    batch,
    isCounted,
    peers: keys,
    owners: keys.map((_, slot) => ownerOf(slot) ?? null),
    settled,
    report: hasReport ? report : null,
  };
}

/** @returns undefined for a text that is none, which no replica of this service sends */
export function rosterIn({ incarnation, number, batch, peers, settled }: WholeNode): NodeRoster | undefined {
  const totals = decodeSettled(settled, peers.length);
  return totals && { incarnation, number, batch, peers, settled: totals };
}

export function encodeText(frame: ReportFrame | BatchFrame): string {
  return Buffer.from(encodeFigures(frame).buffer).toString("base64");
}

export function decodeText(text: string): ReportFrame | BatchFrame | undefined {
  return decodeFigures(Buffer.from(text, "base64"));
}

/** A store's connection serves others too, so what is long goes in pieces. */
const PIECE_CHARACTERS = 128 * 1024;

export function piecesOf(message: Message, id: string): string[] {
  const text = JSON.stringify(message);
  const count = Math.ceil(text.length / PIECE_CHARACTERS);
  return Array.from({ length: count }, (_, at) =>
    [id, at, count, text.slice(at * PIECE_CHARACTERS, (at + 1) * PIECE_CHARACTERS)].join(" "),
  );
}

const INCOMPLETE_MAX = 256;

/** Puts messages together again; one that misses a piece is dropped. */
export function createJoiner(): (piece: string) => Message | undefined {
  const incomplete = new Map<string, string[]>();
  return (piece) => {
    const [, id, at, count, text] = /^(\S+) (\d+) (\d+) ([\s\S]*)$/.exec(piece) ?? [];
    if (id === undefined || text === undefined) return undefined;
    if (count === "1") return JSON.parse(text);
    const held = incomplete.get(id) ?? [];
    if (Number(at) !== held.length) {
      incomplete.delete(id);
      return undefined;
    }
    incomplete.set(id, [...held, text]);
    const [oldest] = incomplete.keys();
    if (incomplete.size > INCOMPLETE_MAX && oldest !== undefined) incomplete.delete(oldest);
    if (held.length + 1 < Number(count)) return undefined;
    incomplete.delete(id);
    return JSON.parse([...held, text].join(""));
  };
}
