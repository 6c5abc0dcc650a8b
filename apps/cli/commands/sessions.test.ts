import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const state = () => service.api().state;
const other = () => state().openSession(state().accounts[0]?.id ?? "");
const saved = () => readFile(join(service.home().dir, ".config", "securewave", "credentials.json"), "utf8");

test("one's own log-ins are listed, and which one this is", async () => {
  other();
  const { stdout } = await service.run("sessions list");
  expect(stdout).toMatch(/^program, this one +2026-11-19 \(yesterday\) +2026-12-19 +ses_/m);
  expect(stdout).toMatch(/^program +2026-11-19/m);
  expect(stdout).toContain("2 log-ins\n");
});

test("a cut list advises a search only where there is one", async () => {
  other();
  const { stderr } = await service.run("sessions list --limit 1");
  expect(stderr).toBe("There are more: --all shows them, --limit changes how many.\n");
});

test("another log-in is ended after asking, and this one stays", async () => {
  other();
  const id = state().sessions[1]?.id ?? "";
  expect((await service.run(`sessions end ${id}`)).code).toBe(2);
  const ran = await service.run(`sessions end ${id}`, { terminal: 80, stdin: "y" });
  expect(ran.stdout).toBe("That log-in has ended.\n");
  expect(state().sessions.map(({ hasEnded }) => hasEnded)).toEqual([false, true]);
  expect((await service.run(`sessions end ${id} --yes`)).stderr).toContain("sessions.not_found");
});

test("this very log-in is forgotten when it is ended", async () => {
  const ran = await service.run(`sessions end ${state().sessions[0]?.id} --yes`);
  expect(ran.stdout).toContain("Logged out of");
  expect(await saved()).not.toContain("refresh-");
});

test("all log-ins end at once, and this one is forgotten", async () => {
  other();
  expect((await service.run("sessions end-all --json")).code).toBe(2);
  const ran = await service.run("sessions end-all --yes --json");
  expect(ran.json()).toEqual({ url: service.api().url, ended: true });
  expect(state().sessions.every(({ hasEnded }) => hasEnded)).toBe(true);
  expect(await saved()).not.toContain("refresh-");
});
