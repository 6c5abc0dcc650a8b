import { createHash } from "node:crypto";
import { parseVerifier } from "@securewave/audit-trail";
import { complaintsOf, type Report, verifyReport } from "@securewave/ghosts/report";
import { fakeReport } from "@securewave/ghosts/testing-report";
import { eventually } from "@securewave/testing/eventually";
import { afterAll, expect, test } from "vitest";
import { codeOf, openTestApp } from "../../testing.ts";

type TestApp = Awaited<ReturnType<typeof openTestApp>>;

/** A program that hears an order, says how far it is, and gives the report that it was made with. */
function scripted(report: Report | undefined, { waits = false } = {}): string[] {
  const events = [
    { kind: "surfaces", surfaces: [{ id: "service-log", title: "Service: log" }] },
    { kind: "step", text: "they come" },
    { kind: "surface", id: "service-log", state: "searching", bytes: 500, sources: 1 },
  ];
  const script = `
    const say = (value) => process.stdout.write(JSON.stringify(value) + "\\n");
    process.stdin.once("data", (order) => {
      if (!JSON.parse(order).apiUrl) process.exit(9);
      for (const event of ${JSON.stringify(events)}) say(event);
      if (${waits}) return;
      ${report === undefined ? "process.exit(3);" : `say(${JSON.stringify({ kind: "report", report })}); process.exit(0);`}
    });
    process.stdin.once("end", () => process.exit(1));`;
  return [process.execPath, "-e", script];
}

const opened: TestApp[] = [];
async function openWith(auditor: readonly string[] | undefined): Promise<TestApp> {
  const service = await openTestApp(auditor === undefined ? {} : { auditor });
  opened.push(service);
  return service;
}
afterAll(async () => {
  for (const service of opened) await service.close();
});

async function runOnce(service: TestApp) {
  const { client } = await service.person("support");
  await client.zeroLog.start({ body: {} });
  return eventually(async () => {
    const { run } = await client.zeroLog.run();
    if (run?.state === "running" || run === null) throw new Error("it still goes on");
    return run;
  });
}

async function proofOf(service: TestApp) {
  const { report, verifier_key } = await service.client().zeroLog.latest();
  const verifier = parseVerifier(verifier_key);
  if (report === null || verifier === undefined) throw new Error("there is no report");
  return { ...report, verifier };
}

test("a clean search is signed and shown to everybody, as JSON and as a page without script", async () => {
  const report = { ...fakeReport("clean"), steps: ["they <i>come</i>"] };
  const service = await openWith(scripted(report));
  expect((await service.send("/zero-log")).text).toContain("No search has been made yet");
  expect(await service.client().zeroLog.latest()).toMatchObject({ report: null });
  expect(await runOnce(service)).toMatchObject({ state: "done", report: 1 });

  const { note, verifier, ...rest } = await proofOf(service);
  expect(rest).toEqual({ number: 1, made_on: expect.any(String), outcome: "clean", hits: 0 });
  expect(verifyReport(note, verifier)).toEqual({ report, isConsistent: true });
  expect(verifier.name).toMatch(/\/zero-log$/);

  const page = await service.send("/zero-log");
  expect(page.text).toContain("they &lt;i&gt;come&lt;/i&gt;");
  expect(page.text).not.toMatch(/<script|<i>/);
  const style = /<style>(.*?)<\/style>/s.exec(page.text)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  expect(page.headers.get("content-security-policy")).toContain(`style-src 'sha256-${hash}'`);
  expect((await service.client().service.health()).checks.zero_log).toBeUndefined();
});

test("a report of which one letter was changed is not that of the service", async () => {
  const service = await openWith(scripted(fakeReport("leaking", { hitsCount: 3 })));
  await runOnce(service);
  const { note, verifier } = await proofOf(service);
  expect(verifyReport(note, verifier)?.report.outcome).toBe("leaking");
  for (const [from, to] of [
    ['"hitsCount": 3', '"hitsCount": 0'],
    ['"leaking"', '"clean"'],
  ] as const) {
    expect(note).toContain(from);
    expect(verifyReport(note.replace(from, to), verifier)).toBeUndefined();
  }
});

test.each([
  ["traces", fakeReport("leaking", { hitsCount: 3 }), "found 3 traces", "zero_log_leaking"],
  [
    "a control that was not found",
    fakeReport("incomplete", { controls: [{ kind: "ipv4", encoding: "text", isFound: false }] }),
    "is not complete",
    "zero_log_incomplete",
  ],
])("%s raise an alarm in health, log and metrics", async (_what, report, told, event) => {
  const service = await openWith(scripted(report));
  await runOnce(service);
  expect(complaintsOf(report).length + (report.surfaces[0]?.hitsCount ?? 0)).toBeGreaterThan(0);
  const health = await service.client().service.health();
  expect(health).toMatchObject({ status: "degraded", checks: { zero_log: expect.stringContaining(told) } });
  expect(service.logLines.some((line) => line.includes(`"${event}"`))).toBe(true);
});

test("a proof that is older than two days raises an alarm, and so does the lack of one", async () => {
  const service = await openWith(scripted(fakeReport("clean")));
  const zeroLog = async () => (await service.client().service.health()).checks.zero_log;
  expect(await zeroLog()).toBeUndefined();
  service.clock.advanceSeconds(3 * 86_400);
  expect(await zeroLog()).toContain("for 3 days");
  await runOnce(service);
  expect(await zeroLog()).toBeUndefined();
  service.clock.advanceSeconds(3 * 86_400);
  expect(await zeroLog()).toContain("for 3 days");
});

test("a search that ends without a report is told as failed, and the next may begin", async () => {
  const service = await openWith(scripted(undefined));
  expect(await runOnce(service)).toMatchObject({ state: "failed", report: null });
  expect(service.logLines.some((line) => line.includes('"zero_log_failed"'))).toBe(true);
  expect(await runOnce(service)).toMatchObject({ state: "failed" });
});

test("one search goes on at a time; how far it is can be seen, and the service's end is its end", async () => {
  const service = await openWith(scripted(undefined, { waits: true }));
  const { client } = await service.person("support");
  await client.zeroLog.start({ body: { is_quick: true } });
  expect(await codeOf(client.zeroLog.start({ body: {} }))).toBe("zero_log.already_running");
  await eventually(async () => {
    const { run } = await client.zeroLog.run();
    expect(run).toMatchObject({
      state: "running",
      doing: "search Service: log",
      surfaces: [{ id: "service-log", state: "searching", bytes: 500, sources: 1 }],
    });
  });
});

test("the last thirty reports are kept, and staff read them all", async () => {
  const service = await openWith(scripted(fakeReport("clean")));
  const row = { made_on: "2026-01-01", outcome: "clean" as const, hits: 0, note: "old" };
  const rows = Array.from({ length: 30 }, (_, index) => ({ ...row, number: index + 1 }));
  await service.database.db.insertInto("zero_log_reports").values(rows).execute();
  await runOnce(service);
  const { items } = await (await service.person("support")).client.zeroLog.reports();
  expect(items.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, index) => 31 - index));
});

test("a process without the program refuses", async () => {
  const service = await openWith(undefined);
  const { client } = await service.person("support");
  expect(await codeOf(client.zeroLog.start({ body: {} }))).toBe("zero_log.not_possible");
  expect(await client.zeroLog.run()).toEqual({ run: null });
});
