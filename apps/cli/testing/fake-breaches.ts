import { type Breach, breachErrors, CREDENTIALS } from "@securewave/contracts";
import { pageOf } from "@securewave/contracts/testing/fake-call";
import { createId } from "@securewave/foundation";
import type { Handlers, Input } from "./fake-input.ts";

export interface FakeBreaches {
  /** The newest first. */
  readonly breaches: Breach[];
  /** What was ended, in this order. */
  readonly rotated: string[];
  /** What was written to people. */
  readonly notices: Readonly<Record<string, unknown>>[];
}

export function createFakeBreaches(): FakeBreaches {
  return { breaches: [], rotated: [], notices: [] };
}

const NOW = "2026-11-20T12:00:00.000Z";

/** @param demandProof throws unless the proof in the body is right */
export function breachHandlers(state: FakeBreaches, demandProof: (input: Input) => void): Handlers {
  const { breaches } = state;

  function open({ params }: Input): number {
    const at = breaches.findIndex(({ id }) => id === params.id);
    if (at === -1) throw breachErrors.notFound();
    if (breaches[at]?.closed_at !== null) throw breachErrors.closed();
    return at;
  }
  function add(
    at: number,
    kind: Breach["entries"][number]["kind"],
    detail: string,
    change: Partial<Breach> = {},
  ) {
    const breach = breaches[at];
    if (breach === undefined) throw breachErrors.notFound();
    const entry = { number: breach.entries.length + 1, at: NOW, kind, detail };
    const next = { ...breach, ...change, entries: [...breach.entries, entry] };
    breaches[at] = next;
    return next;
  }

  return {
    "breaches.start": (input) => {
      demandProof(input);
      if (breaches[0]?.closed_at === null) throw breachErrors.alreadyOpen();
      breaches.unshift({
        id: createId("breach"),
        summary: String(input.body.summary),
        opened_at: NOW,
        closed_at: null,
        entries: [],
        waiting: { nodes: [], secrets: 0, letters: null },
        by_hand: ["DATABASE_URL: change the password"],
      });
      add(0, "opened", String(input.body.summary));
      return add(0, "isolated", "only staff are let in");
    },
    "breaches.list": ({ query }) =>
      pageOf(
        breaches.map(({ id, summary, opened_at, closed_at }) => ({ id, summary, opened_at, closed_at })),
        query,
      ),
    "breaches.show": ({ params }) => {
      const found = breaches.find(({ id }) => id === params.id);
      if (found === undefined) throw breachErrors.notFound();
      return found;
    },
    "breaches.note": (input) => add(open(input), "noted", String(input.body.text)),
    "breaches.rotate": (input) => {
      demandProof(input);
      const at = open(input);
      const what = CREDENTIALS.find((known) => known === input.body.what) ?? "sessions";
      state.rotated.push(what);
      const waiting = { nodes: what === "nodes" ? ["Frankfurt-1"] : [], secrets: 0, letters: null };
      return add(at, "rotated", `${what} are ended`, { waiting });
    },
    "breaches.notify": (input) => {
      demandProof(input);
      const { password: _, ...notice } = input.body;
      state.notices.push(notice);
      return add(open(input), "notified", String(notice.subject));
    },
    "breaches.close": (input) => {
      demandProof(input);
      return add(open(input), "closed", String(input.body.text ?? "closed"), { closed_at: NOW });
    },
  };
}
