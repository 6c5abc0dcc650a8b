import { alertRules, type Sample } from "@securewave/monitoring";
import { expect, test } from "vitest";
import { HEALTH_CHECKS } from "./checks.ts";
import { createServiceHealth } from "./service.ts";

const clock = { now: () => Date.parse("2026-11-20T12:00:00Z") };
const detailsOf = (samples: readonly Sample[]) =>
  createServiceHealth({ clock, telemetry: { samples: async () => [...samples] } }).details();

const judged = HEALTH_CHECKS.flatMap(({ id, alerts }) => alerts.map((alert) => ({ id, alert })));

test.each(judged)("$id is in trouble while the figures are those of $alert", async ({ id, alert }) => {
  const rule = alertRules.find(({ name }) => name === alert);
  const samplesOf = (series: NonNullable<typeof rule>["fires"] = []): Sample[] =>
    series.map(({ metric, labels = {}, from }) => ({ name: metric, labels, value: from }));
  const checkOf = async (samples: readonly Sample[]) =>
    (await detailsOf(samples)).checks.find((check) => check.id === id);

  expect(await checkOf(samplesOf(rule?.fires))).toMatchObject({
    state: expect.stringMatching(rule?.severity === "critical" ? /^failing$/ : /^(failing|warning)$/),
    alerts: expect.arrayContaining([alert]),
    advice: expect.any(String),
  });
  expect((await checkOf(samplesOf(rule?.quiet)))?.alerts).not.toContain(alert);
});

test("visitors learn that backups are in trouble, and by nothing else than a sentence", async () => {
  const samples = [{ name: "securewave_backup_failed", labels: {}, value: 1 }];
  const health = createServiceHealth({ clock, telemetry: { samples: async () => samples } });
  expect(await health.troubles()).toEqual({
    backups:
      "The last work on backups failed, the archive stopped or has a gap, or the last verification found damage.",
  });
});

test("where no backups are made, health does not call them well", async () => {
  const names = ["database_age_seconds", "verified_age_seconds", "failed", "archive_lag_seconds"];
  const off = names.map((name) => ({ name: `securewave_backup_${name}`, labels: {}, value: Number.NaN }));
  const { checks } = await detailsOf(off);
  expect(checks.find(({ id }) => id === "backups")).toMatchObject({
    state: "unknown",
    says: "None are made here.",
  });
});

test("a part of which nothing is known is not called well", async () => {
  const { checks, status } = await detailsOf([]);
  expect(new Set(checks.map(({ state }) => state))).toEqual(new Set(["unknown"]));
  expect(status).toBe("healthy");
});
