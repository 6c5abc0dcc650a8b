import { generateKeyPairSync } from "node:crypto";
import { formatVerifier, rawPublicKey } from "@securewave/audit-trail";
import type { ZeroLogRun } from "@securewave/contracts";
import { type Report, signReport } from "@securewave/ghosts/report";
import { fakeReport } from "@securewave/ghosts/testing-report";
import type { Handlers } from "./fake-input.ts";

const NAME = "vpn.example.org/zero-log";
const DAY = "2026-11-20";
/** How often it is asked how far a search is before that is done. */
const ASKED_TIMES = 2;

export interface FakeZeroLog {
  /** What the next search comes to. */
  next: Report;
  /** Bodies of the calls that began one. */
  readonly started: Readonly<Record<string, unknown>>[];
}

export function createFakeZeroLog(): FakeZeroLog {
  return { next: fakeReport("clean"), started: [] };
}

export function zeroLogHandlers(zeroLog: FakeZeroLog): Handlers {
  const { privateKey } = generateKeyPairSync("ed25519");
  const verifier_key = formatVerifier({ name: NAME, publicKey: rawPublicKey(privateKey) });
  const notes: { number: number; made_on: string; outcome: string; hits: number; note: string }[] = [];
  let left = 0;
  const run = (state: ZeroLogRun["state"]): ZeroLogRun => ({
    state,
    doing: "search Service: log",
    surfaces: [
      { id: "service-log", title: "Service: log", state: "searching", bytes: 1_000_000, sources: 1 },
    ],
    report: state === "done" ? notes.length : null,
  });
  return {
    "zeroLog.latest": () => ({ report: notes.at(-1) ?? null, verifier_key }),
    "zeroLog.reports": () => ({ items: notes.toReversed() }),
    "zeroLog.start": ({ body }) => {
      zeroLog.started.push(body);
      left = ASKED_TIMES;
      return run("running");
    },
    "zeroLog.run": () => {
      if (--left > 0) return { run: run("running") };
      const { outcome, surfaces } = zeroLog.next;
      const hits = surfaces.reduce((sum, { hitsCount }) => sum + hitsCount, 0);
      const note = signReport(zeroLog.next, NAME, privateKey);
      notes.push({ number: notes.length + 1, made_on: DAY, outcome, hits, note });
      return { run: run("done") };
    },
  };
}
