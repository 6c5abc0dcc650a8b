import { generateKeyPairSync } from "node:crypto";
import { formatVerifier, rawPublicKey } from "@securewave/audit-trail";
import type { ZeroLogRun } from "@securewave/contracts";
import { REPORT_FORMAT, type Report, type SurfaceReport, signReport } from "@securewave/ghosts/report";
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

export function fakeReport(outcome: Report["outcome"], change: Partial<SurfaceReport> = {}): Report {
  const surface: SurfaceReport = {
    id: "service-log",
    title: "Service: log",
    rows: [19],
    sources: 3,
    bytes: 2_000_000,
    unpackedBytes: 0,
    permits: [],
    controls: [{ kind: "ipv4", encoding: "text", isFound: true }],
    hits: [],
    hitsCount: 0,
    faintCount: 0,
    settings: [],
    skipped: [],
    skippedCount: 0,
    problems: [],
    ...change,
  };
  return {
    format: REPORT_FORMAT,
    at: `${DAY}T04:23:00Z`,
    software: { name: "SecureWave", version: "1.0" },
    seed: "00",
    ghosts: ["ghost-1", "ghost-2"],
    kinds: ["ipv4"],
    encodings: ["text"],
    forms: [],
    steps: ["each fails to log in"],
    surfaces: [surface],
    notCovered: ["The hoster's netflow."],
    outcome,
  };
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
