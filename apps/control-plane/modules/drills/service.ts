import { formatVerifier, rawPublicKey } from "@securewave/audit-trail";
import { openNote, signerOf, signNote } from "@securewave/audit-trail/note";
import {
  type DrillRecord,
  DrillReport,
  type DrillSummary,
  drillErrors,
  SCENARIOS,
  type Scenario,
} from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, createId, DAY_MS, dayOf, invariant } from "@securewave/foundation";
import { Value } from "typebox/value";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Telemetry } from "../../http/telemetry.ts";
import type { Audit } from "../audit/index.ts";
import type { ServiceKey } from "../service-keys/index.ts";
import * as store from "./store.ts";

export interface DrillsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: Pick<Audit, "record">;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly key: ServiceKey;
  /** What reports are signed as: `vpn.example.org/drills`. */
  readonly name: string;
}

export type Drills = ReturnType<typeof createDrills>;

/** Keeps what drills measured, each report under the service's signature. */
export function createDrills({ database, clock, audit, telemetry, key, name }: DrillsOptions) {
  const { db } = database;
  const publicKey = rawPublicKey(key.privateKey);

  telemetry.gauge(
    "securewave_drill_age_days",
    "Days since the newest drill that met its targets, where there is one",
    async () => {
      const newest = await store.newestMet(db);
      return Math.round((Date.parse(dayOf(clock.now())) - Date.parse(newest ?? "")) / DAY_MS);
    },
  );

  /** What is shown was read out of what is signed, under whatever name the service had then. */
  function recordOf(row: store.DrillRow): DrillRecord {
    const verifier = { name: signerOf(row.note) ?? name, publicKey };
    const text = openNote(row.note, verifier);
    const signed: unknown = text === undefined ? undefined : JSON.parse(text);
    invariant(Value.Check(DrillReport, signed), "a report in the table is one that was signed here");
    return { ...summaryOf(row), report: signed, note: row.note, verifier_key: formatVerifier(verifier) };
  }

  return {
    async list({ scenario, ...page }: PageRequest & { readonly scenario?: Scenario }) {
      const bounds = boundsOf(page, ["integer"]);
      const rows = await store.listReports(db, bounds, scenario);
      return pageOf(rows, bounds, ({ number }) => [String(number)], summaryOf);
    },

    /** @throws drills.not_found */
    async show(id: string): Promise<DrillRecord> {
      const row = await store.findReport(db, id);
      if (!row) throw drillErrors.notFound();
      return recordOf(row);
    },

    async record(report: DrillReport, actor: string): Promise<DrillRecord> {
      const row = {
        id: createId("drill"),
        scenario: report.scenario,
        outcome: report.outcome,
        carried_out_on: dayOf(clock.now()),
        rto_seconds: report.rto_seconds,
        rpo_seconds: report.rpo_seconds,
        note: signNote(`${JSON.stringify(report, null, 1)}\n`, name, key.privateKey),
      };
      const stored = await database.transaction(async (trx) => {
        const details = { scenario: report.scenario };
        await audit.record(trx, { kind: "drill_recorded", actor, subject: row.id, details });
        return store.insertReport(trx, row);
      });
      return recordOf(stored);
    },
  };
}

function summaryOf({ note: _, ...row }: store.DrillRow): DrillSummary {
  const scenario = SCENARIOS.find((known) => known === row.scenario);
  invariant(scenario, "only known drills are recorded");
  return { ...row, scenario };
}
