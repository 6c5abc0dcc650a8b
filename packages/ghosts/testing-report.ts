import { REPORT_FORMAT, type Report, type SurfaceReport } from "./report.ts";

/** A report of one surface, in which every planted trace was found. */
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
    at: "2026-11-20T04:23:00Z",
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
