import { generateKeyPairSync } from "node:crypto";
import { parseVerifier } from "@securewave/audit-trail";
import { openNote } from "@securewave/audit-trail/note";
import type { DrillReport } from "@securewave/contracts";
import { createId } from "@securewave/foundation";
import { afterAll, expect, test } from "vitest";
import { codeOf, openTestApp } from "../../testing.ts";
import { serviceKeyOf } from "../service-keys/index.ts";
import { createDrills } from "./index.ts";

const service = await openTestApp();
afterAll(() => service.close());
const { client } = await service.person("support");

const REPORT: DrillReport = {
  scenario: "node-loss",
  outcome: "met",
  version: "0.1.0",
  target: { name: "VPN servers", rto_seconds: 14_400, rpo_seconds: 86_400 },
  rto_seconds: 2.5,
  rpo_seconds: 0,
  writes: { acknowledged: 20, lost: 0 },
  timeline: [{ at_seconds: 0, what: "the node was killed" }],
  checks: [{ what: "another node serves the device", is_met: true }],
};

test("a report is signed, kept and shown as it was sent", async () => {
  const recorded = await client.drills.record({ body: REPORT });
  expect(recorded).toMatchObject({ number: 1, scenario: "node-loss", outcome: "met", report: REPORT });
  const shown = await client.drills.show({ params: { id: recorded.id } });
  expect(shown).toEqual(recorded);
  const verifier = parseVerifier(shown.verifier_key);
  expect(verifier?.name).toMatch(/\/drills$/);
  if (!verifier) throw new Error("there is no verifier");
  expect(JSON.parse(openNote(shown.note, verifier) ?? "")).toEqual(REPORT);
  expect(openNote(shown.note.replace("2.5", "1.5"), verifier)).toBeUndefined();
});

test("the history is listed, the newest first, of one scenario or all", async () => {
  await client.drills.record({ body: { ...REPORT, scenario: "redis-loss", outcome: "missed" } });
  const { items } = await client.drills.list();
  expect(items.map(({ scenario }) => scenario)).toEqual(["redis-loss", "node-loss"]);
  const page = await client.drills.list({ query: { limit: 1 } });
  const next = await client.drills.list({ query: { limit: 1, cursor: page.next_cursor ?? "" } });
  expect(next.items.map(({ scenario }) => scenario)).toEqual(["node-loss"]);
  const only = await client.drills.list({ query: { scenario: "redis-loss" } });
  expect(only.items.map(({ outcome }) => outcome)).toEqual(["missed"]);
  expect(await codeOf(client.drills.show({ params: { id: createId("drill") } }))).toBe("drills.not_found");
});

test("a report is shown also where the service has another address since", async () => {
  const key = serviceKeyOf(generateKeyPairSync("ed25519").privateKey);
  const at = (host: string) => {
    const telemetry = { gauge() {} };
    const { database, clock } = service;
    const { audit } = service.app;
    return createDrills({ database, clock, audit, telemetry, key, name: `${host}/drills` });
  };
  const former = await at("vpn.example.org").record(REPORT, "system");
  expect(await at("vpn.example.net").show(former.id)).toEqual(former);
  const later = await at("vpn.example.net").record(REPORT, "system");
  expect(parseVerifier(later.verifier_key)?.name).toBe("vpn.example.net/drills");
});
