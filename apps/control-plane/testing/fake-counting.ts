import { randomBytes } from "node:crypto";
import {
  AGE_NONE,
  encodeFigures,
  encodeSettled,
  settleable,
  type Totals,
} from "@securewave/contracts/node-frames";
import type { Roster, Slots } from "@securewave/contracts/node-protocol";

/** What a fake node says of one peer: totals since it was made. */
export interface PeerReport {
  readonly public_key: string;
  readonly received_bytes: number;
  readonly sent_bytes: number;
  readonly handshake_age_seconds: number;
}

export type PartialPeerReport = Partial<PeerReport> & Pick<PeerReport, "public_key">;

/** Counts as an agent does that never restarts, from totals that it is told. */
export interface FakeCounting {
  incarnation(): string;
  /** Keys in the order of the slots that reports have. */
  slots(): readonly string[];
  rosterNumber(): number;
  roster(): Roster;
  /** Takes in these peers as connected, and no others; totals never fall. */
  report(reported: readonly PartialPeerReport[]): { slots: Slots | undefined; figures: Uint8Array };
  /** @returns the totals as of when the batch was first asked for; undefined for one that does not follow */
  close(batch: number): Uint8Array | undefined;
  /** @returns whether the roster is another one */
  settle(incarnation: string, batch: number): boolean;
  /** Begins a new incarnation without slots. */
  recount(): void;
}

interface Total {
  readonly received: number;
  readonly sent: number;
}

const NOTHING: Total = { received: 0, sent: 0 };

export function createFakeCounting(): FakeCounting {
  let incarnation = newIncarnation();
  let number = 0;
  let sequence = 0;
  let batch = 0;
  /** By key, in the order of the slots. */
  const totals = new Map<string, Total>();
  const settled = new Map<string, Total>();
  let frozen: ReadonlyMap<string, Total> | undefined;

  function columnsOf(by: ReadonlyMap<string, Total>): Totals {
    const inOrder = Array.from(totals.keys(), (key) => by.get(key) ?? NOTHING);
    return {
      received: Float64Array.from(inOrder, ({ received }) => received),
      sent: Float64Array.from(inOrder, ({ sent }) => sent),
    };
  }

  function recount(): void {
    incarnation = newIncarnation();
    batch = 0;
    frozen = undefined;
    totals.clear();
    settled.clear();
  }

  return {
    incarnation: () => incarnation,
    slots: () => [...totals.keys()],
    rosterNumber: () => number,
    roster: () => ({
      type: "roster",
      incarnation,
      number: ++number,
      batch,
      peers: [...totals.keys()],
      settled: encodeSettled(columnsOf(settled)),
    }),
    report(reported) {
      const peers = reported.map(({ public_key }) => public_key).filter((key) => !totals.has(key));
      const ages = new Map<string, number>();
      for (const { public_key, received_bytes = 0, sent_bytes = 0, handshake_age_seconds = 1 } of reported) {
        const { received, sent } = totals.get(public_key) ?? NOTHING;
        totals.set(public_key, {
          received: Math.max(received, received_bytes),
          sent: Math.max(sent, sent_bytes),
        });
        ages.set(public_key, Math.min(handshake_age_seconds, AGE_NONE));
      }
      const slots: Slots | undefined =
        peers.length > 0 ? { type: "slots", number: ++number, peers } : undefined;
      const figures = encodeFigures({
        kind: "report",
        roster: number,
        sequence: ++sequence,
        ...columnsOf(totals),
        ages: Uint8Array.from(totals.keys(), (key) => ages.get(key) ?? AGE_NONE),
      });
      return { slots, figures };
    },
    close(wanted) {
      if (wanted !== batch + 1) return undefined;
      frozen ??= new Map(totals);
      return encodeFigures({ kind: "batch", roster: number, batch: wanted, ...columnsOf(frozen) });
    },
    settle(ofIncarnation, wanted) {
      if (ofIncarnation !== incarnation || wanted <= batch) return false;
      if (frozen === undefined || wanted !== batch + 1) {
        recount(); // the ledger has what this node does not know of
        return true;
      }
      for (const [key, { received, sent }] of frozen) {
        const before = settled.get(key) ?? NOTHING;
        settled.set(key, {
          received: before.received + settleable(received - before.received),
          sent: before.sent + settleable(sent - before.sent),
        });
      }
      batch = wanted;
      frozen = undefined;
      return true;
    },
    recount,
  };
}

function newIncarnation(): string {
  return randomBytes(16).toString("base64url");
}
