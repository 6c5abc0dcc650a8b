import type { ServiceMinutes } from "@securewave/contracts";
import { createManualClock, MINUTE_MS } from "@securewave/foundation";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { type DatabaseProxy, openDatabaseProxy } from "../../testing/database-proxy.ts";
import { openTestApp, type TestApp } from "../../testing.ts";

/** Ten o'clock, and twenty seconds. */
const START_MS = Date.parse("2026-11-20T10:00:20Z");
const opened: TestApp[] = [];
let service: TestApp;
beforeEach(async () => {
  service = await openTestApp({ clock: createManualClock(START_MS) });
  opened.push(service);
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});
afterAll(() => expect(opened).toEqual([]));

const levels = (one = service) => one.app.operations;
function measureAt(one: TestApp): void {
  one.app.startMeasuring(); // says where it listens; its own timer goes by the minute, far off
}
async function minutes(count: number, each: () => Promise<void> = () => levels().measuring.measure()) {
  for (let minute = 0; minute < count; minute++) {
    await each();
    service.clock.advanceSeconds(60);
  }
}
const month = async () => (await service.person("support")).client.sla.month();
/** A probe that took long on a busy machine counts as one that did not. */
const worked = ({ up, degraded }: ServiceMinutes) => up + degraded;
async function apiMinutes() {
  service.clock.advanceSeconds(120); // a minute is settled two minutes later
  const minutes = (await month()).components[0]?.minutes;
  return minutes && { ...minutes, up: worked(minutes), degraded: 0 };
}

test("minutes in which the service answered itself are up, and the time in which it did not run is unknown", async () => {
  measureAt(service);
  await minutes(20);
  service.clock.advanceSeconds(30 * 60); // nobody measures
  await minutes(10);
  expect(await apiMinutes()).toEqual({ up: 30, degraded: 0, down: 0, maintenance: 0, unknown: 30 });
  const { components, budget } = await month();
  expect(components[0]).toMatchObject({ component: "api", availability: 1, availability_at_least: 0.5 });
  expect(budget).toMatchObject({ minutes: 43.2, spent_minutes: 0, unknown_minutes: 30, left: 1 });
});

test("what is found while the store is away is kept in memory, and written as down once it is back", async () => {
  let proxy: DatabaseProxy | undefined;
  service = await openTestApp({
    clock: createManualClock(START_MS),
    wrapDatabase: async ({ url }) => {
      proxy = await openDatabaseProxy(url);
      return proxy.database;
    },
  });
  opened.push(service);
  measureAt(service);
  await minutes(5);
  proxy?.cut();
  await minutes(4, async () => {
    await expect(levels().measuring.measure()).rejects.toThrow();
  });
  proxy?.mend();
  await minutes(3);
  expect(await apiMinutes()).toEqual({ up: 8, degraded: 0, down: 4, maintenance: 0, unknown: 0 });
});

test("two replicas that measure the same minutes leave what one leaves, and its figures beside", async () => {
  const database = service.database;
  const other = await openTestApp({
    clock: service.clock,
    dataDir: service.config.store.dir,
    database: { ...database, close: async () => {} },
  });
  opened.push(other);
  for (const one of [service, other]) measureAt(one);
  await minutes(16, async () => {
    await levels(service).measuring.measure();
    await levels(other).measuring.measure();
    await levels(other).measuring.measure();
  });
  expect(await apiMinutes()).toMatchObject({ up: 16, degraded: 0, unknown: 0 });
  const { rows } = await database.pool.query("select distinct process from performance_quarters");
  expect(rows).toHaveLength(2);
});

test("hours and days are summed up from quarters, the same however often, and stay when these are gone", async () => {
  measureAt(service);
  await minutes(70);
  const apiOn = async (day: string) =>
    (await month()).days.filter((one) => one.day === day).map(({ minutes }) => worked(minutes));
  await levels().rollUp();
  await levels().rollUp();
  expect(await apiOn("2026-11-20")).toEqual([70]);
  service.clock.advanceSeconds(9 * 24 * 3600);
  await levels().rollUp();
  const { rows } = await service.database.pool.query(
    "select distinct starts_at from availability_quarters where component = 'api'",
  );
  expect(rows).toEqual([{ starts_at: new Date("2026-11-20T10:00:00Z") }]); // tells since when there is anything to know
  expect(await apiOn("2026-11-20")).toEqual([70]);
});

test("what was measured before the service was away for days is summed up when it is back", async () => {
  measureAt(service);
  await minutes(20);
  await levels().rollUp();
  await minutes(10);
  service.clock.advanceSeconds(10 * 24 * 3600);
  await levels().rollUp();
  const [day] = (await month()).days.filter(({ day }) => day === "2026-11-20");
  expect(day && worked(day.minutes)).toBe(30);
});

test("days of maintenance are marked also where there are many regions", async () => {
  measureAt(service);
  await minutes(1);
  const { client } = await service.admin();
  const at = (days: number) => new Date(START_MS + days * 24 * 3_600_000).toISOString();
  const window = { title: "Move", text: "We move.", notifies: false };
  await client.statusDesk.schedule({ body: { ...window, starts_at: at(1.01), ends_at: at(5) } });
  service.clock.advanceSeconds(5 * 24 * 3600);
  await service.database.pool.query(
    `insert into availability_quarters
     select $1, 'tunnels/region-' || n, 1, 0, 0, 0 from generate_series(1, 60) n`,
    [new Date(START_MS + 4 * 24 * 3_600_000 - 20_000)],
  );
  await levels().rollUp();
  const { components } = await month();
  expect(components.filter(({ component }) => component.startsWith("tunnels/"))).toHaveLength(60);
  for (const { minutes } of components) expect(minutes.maintenance).toBeGreaterThan(2 * 24 * 60);
});

test("announced maintenance is left out of the promise, also where the service was stopped for it; an emergency is not", async () => {
  measureAt(service);
  const { client } = await service.admin();
  const at = (hours: number) => new Date(START_MS + hours * 3_600_000).toISOString();
  const schedule = (from: number, to: number, is_emergency: boolean) =>
    client.statusDesk.schedule({
      body: {
        title: "Move",
        text: "We move.",
        starts_at: at(from),
        ends_at: at(to),
        is_emergency,
        notifies: false,
      },
    });
  await minutes(1);
  await schedule(24.5, 25, false);
  await schedule(26, 26.5, true);
  service.clock.advanceSeconds(24 * 3600);
  await minutes(20); // from 24:01 to 24:21
  service.clock.advanceSeconds(3600 * 3); // stopped over both
  await minutes(1);
  await levels().rollUp();
  const counted = await apiMinutes();
  expect(counted?.maintenance).toBe(29); // whole minutes between :30:20 and :00:20
  expect(counted?.up).toBe(22);
  expect((counted?.unknown ?? 0) > 24 * 60).toBe(true);
});

test("a month of which nothing is known says so, and one in the future too", async () => {
  const { client } = await service.person("support");
  for (const asked of ["2026-10", "2027-03"]) {
    const { components, budget, figures } = await client.sla.month({ query: { month: asked } });
    expect(components[0]).toMatchObject({ availability: null, availability_at_least: null });
    expect(budget).toMatchObject({ spent_minutes: 0, left: null });
    expect(figures.every(({ state }) => state === "unknown")).toBe(true);
  }
});

test("figures are held against what is promised", async () => {
  measureAt(service);
  await minutes(3);
  const { figures } = await month();
  expect(figures.find(({ name }) => name === "availability")).toMatchObject({ value: 1, state: "met" });
  expect(figures.find(({ name }) => name === "mean_ms")).toMatchObject({ value: null, state: "unknown" });
  expect(figures.find(({ name }) => name === "memory")?.value).toBeGreaterThan(0);
});

test("quarters and hours are shown with their gaps", async () => {
  measureAt(service);
  await minutes(10);
  service.clock.advanceSeconds(50 * 60);
  const { client } = await service.person("support");
  const { items } = await client.sla.series({ query: { period: "quarter" } });
  expect(items.length).toBeGreaterThanOrEqual(2 * 96);
  expect(items.slice(-5).map(({ minutes }) => [worked(minutes), minutes.unknown])).toEqual([
    [10, 5],
    [0, 15],
    [0, 15],
    [0, 13],
    [0, 0],
  ]);
  const hours = await client.sla.series({ query: { period: "hour" } });
  expect(hours.items.slice(-2, -1).map(({ minutes }) => [worked(minutes), minutes.unknown])).toEqual([
    [10, 48],
  ]);
});

test("a clock that goes back writes nothing twice", async () => {
  measureAt(service);
  await minutes(10);
  service.clock.advanceSeconds((-5 * MINUTE_MS) / 1000);
  await minutes(5);
  expect(await apiMinutes()).toMatchObject({ up: 10, unknown: 0 });
});
