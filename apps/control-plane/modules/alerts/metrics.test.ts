import type { AddressInfo } from "node:net";
import { alertRules } from "@securewave/monitoring";
import { dashboardQueries } from "@securewave/monitoring/render/dashboards";
import { metricsOf } from "@securewave/monitoring/rule";
import { afterAll, expect, test } from "vitest";
import { openTestApp } from "../../testing.ts";

const service = await openTestApp({ settings: { NODE_PROBES: "on" } });
afterAll(() => service.close());

async function exposition(): Promise<string> {
  const server = await service.app.telemetry.listen("127.0.0.1", 0);
  const { port } = server.address() as AddressInfo;
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  server.close();
  return text;
}
const told = new Set([...(await exposition()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));

test("every alert reads metrics that a running service tells", () => {
  const read = alertRules.flatMap(({ when }) => metricsOf(when));
  expect(read.filter((name) => !told.has(name))).toEqual([]);
});

test("every dashboard shows metrics that a running service tells", () => {
  const names = dashboardQueries().flatMap(
    (query) => query.match(/\b(securewave|sentinel|process|nodejs)_[a-z0-9_]+/g) ?? [],
  );
  const plain = names.map((name) => (told.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "")));
  expect(plain.length).toBeGreaterThan(20);
  expect(plain.filter((name) => !told.has(name))).toEqual([]);
});

test("the service's own watch gets the same series as a scrape", async () => {
  await service.send("/api/health/live");
  const samples = await service.app.telemetry.samples();
  const names = new Set(samples.map(({ name }) => name));
  const scraped = [...(await exposition()).matchAll(/^([a-z_0-9]+)[ {]/gm)].map(([, name = ""]) => name);
  expect([...new Set(scraped)].filter((name) => !names.has(name))).toEqual([]);
  const bucket = samples.find(({ name }) => name === "sentinel_request_duration_seconds_bucket");
  expect(bucket?.labels).toMatchObject({ le: expect.anything(), endpoint: expect.any(String) });
});
