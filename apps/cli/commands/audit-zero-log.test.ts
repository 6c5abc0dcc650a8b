import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fakeReport } from "@securewave/ghosts/testing-report";
import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const zeroLog = () => service.api().state.zeroLog;
const pathOf = (name: string) => join(service.home().dir, name);

test("a search is begun, followed to its end and told as a table, with what it does not cover", async () => {
  const ran = await service.run("audit zero-log");
  expect(ran.code).toBe(0);
  expect(zeroLog().started).toEqual([{ is_quick: false }]);
  expect(ran.stdout).toContain("No trace of the ghosts was found, and every planted one was.");
  expect(ran.stdout).toContain(
    "PLACE         SEARCHED  FILES  CONTROLS  TRACES\nService: log    2.0 MB      3    1 of 1       0\n",
  );
  expect(ran.stdout).toContain("What this does not cover:\n  - The hoster's netflow.");
});

test("traces are the exit code 1, and named", async () => {
  const hit = {
    ghost: "ghost-1",
    kind: "ipv4",
    encoding: "text",
    source: "service.log",
    offset: 7,
    excerpt: "",
  } as const;
  zeroLog().next = fakeReport("leaking", { hits: [hit], hitsCount: 1 });
  const ran = await service.run("audit zero-log --quick --json");
  expect(ran.code).toBe(1);
  expect(zeroLog().started).toEqual([{ is_quick: true }]);
  expect(ran.json()).toMatchObject({
    outcome: "leaking",
    consistent: true,
    surfaces: [{ id: "service-log", bytes: 2_000_000, controls_found: 1, hits: 1 }],
    complaints: ["Service: log: ipv4 of ghost-1 as text in service.log at 7"],
  });
});

test("a report that was kept is verified without the service; one that was changed is refused, and why", async () => {
  const path = pathOf("report.txt");
  await service.run(`audit zero-log --out ${path}`);
  await service.api().close();
  const good = await service.run(`audit verify-report ${path}`);
  expect(good.stdout).toContain("The signature is good: nothing in the report was changed.");
  expect(good.stdout).toContain("The hoster's netflow.");
  expect(good.code).toBe(0);

  const note = await readFile(path, "utf8");
  await writeFile(path, note.replace('"bytes": 2000000', '"bytes": 9000000'));
  const bad = await service.run(`audit verify-report ${path}`);
  expect(bad.code).toBe(1);
  expect(bad.stderr).toContain("changed after it was signed");
  await writeFile(path, note.split("\n— ")[0] ?? "");
  expect((await service.run(`audit verify-report ${path}`)).stderr).toContain("it has no signature");
  expect((await service.run(`audit verify-report ${pathOf("none")}`)).code).toBe(2);
});

test("where the report could not be kept, nothing is searched", async () => {
  for (const path of ["/nowhere/report.txt", service.home().dir]) {
    const ran = await service.run(`audit zero-log --out ${path}`);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining("cli.file_unwritable")]);
  }
  expect(zeroLog().started).toEqual([]);
});
