import { createId } from "@securewave/foundation";
import { type DrillRecord, type DrillReport, type DrillSummary, drillErrors } from "../drills.ts";
import { type FakeCall, pageOf } from "./fake-call.ts";

const HOUR_SECONDS = 3600;

export interface FakeDrills {
  /** The newest first. */
  readonly drills: DrillRecord[];
}

/** One drill that met its targets, one that was too slow, and one that failed. */
export function createFakeDrills(): FakeDrills {
  const recorded: readonly Partial<DrillReport>[] = [
    { scenario: "database-corruption" },
    { scenario: "node-loss", outcome: "missed", rto_seconds: 5 * HOUR_SECONDS },
    {
      scenario: "backup-verify",
      outcome: "failed",
      checks: [{ what: "a hole in the archive is found", is_met: false }],
    },
  ];
  return { drills: recorded.map((facts, index) => recordOf(recorded.length - index, facts)) };
}

function recordOf(number: number, facts: Partial<DrillReport>): DrillRecord {
  const report: DrillReport = {
    scenario: "database-corruption",
    outcome: "met",
    version: "0.1.0",
    target: { name: "database", rto_seconds: HOUR_SECONDS, rpo_seconds: HOUR_SECONDS },
    rto_seconds: 14.2,
    rpo_seconds: 3.1,
    writes: { acknowledged: 48, lost: 2 },
    timeline: [
      { at_seconds: 0.1, what: "a service that backs itself up" },
      {
        at_seconds: 18.6,
        what: "the machine crashed, and a bit is flipped in each of 31 tables and indexes",
      },
      { at_seconds: 31.9, what: "the service answers, and writes are acknowledged" },
      { at_seconds: 33.4, what: "2 of 48 acknowledged writes are lost" },
    ],
    checks: [
      { what: "the corruption is noticed, and nothing is served from it", is_met: true },
      { what: "the audit trail is whole from its first entry to its last", is_met: true },
    ],
    ...facts,
  };
  return {
    ...summaryOf(number, report),
    report,
    note: `${JSON.stringify(report)}\n\n— vpn.example.org/drills AAAA\n`,
    verifier_key: "vpn.example.org/drills+00000000+AAAA",
  };
}

function summaryOf(
  number: number,
  { scenario, outcome, rto_seconds, rpo_seconds }: DrillReport,
): DrillSummary {
  const carried_out_on = `2026-11-${String(number + 10).padStart(2, "0")}`;
  return { id: createId("drill"), number, carried_out_on, scenario, outcome, rto_seconds, rpo_seconds };
}

export function drillHandlers({ drills }: FakeDrills) {
  return {
    "drills.list": ({ query }: FakeCall) =>
      pageOf(
        drills
          .filter(({ scenario }) => query.scenario === undefined || scenario === query.scenario)
          .map(({ report: _, note: __, verifier_key: ___, ...summary }) => summary),
        query,
      ),
    "drills.show": ({ params }: FakeCall) => {
      const drill = drills.find(({ id }) => id === params.id);
      if (!drill) throw drillErrors.notFound();
      return drill;
    },
    "drills.record": ({ body }: FakeCall) => {
      const record = recordOf(drills.length + 1, body);
      drills.unshift(record);
      return record;
    },
  };
}
