import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CREDENTIALS } from "@securewave/contracts";
import { expect, test } from "vitest";
import { PASSWORD } from "../testing/fake-state.ts";
import { useService } from "../testing/service.ts";

const service = useService();
const fake = () => service.api().state.breaches;
const run = (args: readonly string[], stdin = PASSWORD) => service.home().run(["breach", ...args], { stdin });
const PROVED = ["--yes", "--password-stdin"];
const start = () => run(["start", "A laptop was stolen", ...PROVED]);

test("a breach is opened after asking, with a proof, and its timeline is shown", async () => {
  expect((await run(["start", "A laptop was stolen", "--password-stdin"])).code).toBe(2);
  expect((await run(["start", "A laptop was stolen", ...PROVED], "wrong")).stderr).toContain(
    "wrong_password",
  );
  expect(fake().breaches).toEqual([]);
  const opened = await start();
  expect(opened.stderr).toBe("Next: securewave breach rotate all\n");
  expect(opened.stdout).toMatch(/^Breach +A laptop was stolen\n/);
  expect(opened.stdout).toContain("no: only staff are let in");
  expect(opened.stdout).toContain("By hand:\n  - DATABASE_URL: change the password");
  expect((await start()).stderr).toContain("breaches.already_open");
  expect((await run(["status", "--json"])).json()).toMatchObject({
    entries: [{ kind: "opened" }, { kind: "isolated" }],
  });
});

test("`all` ends every credential in order, but gives nodes time; what waits is said before it is closed", async () => {
  await start();
  const rotated = await run(["rotate", "all", ...PROVED]);
  expect(rotated.code).toBe(0);
  const atOnce = CREDENTIALS.filter((what) => what !== "late_nodes");
  expect(fake().rotated).toEqual(atOnce);
  for (const what of atOnce) expect(rotated.stderr).toContain(`${what}: ${what} are ended`);
  const closed = await run(["close", "--text", "Nothing was taken", ...PROVED]);
  expect(closed.stderr).toContain("1 node made no other credential yet: securewave breach rotate late_nodes");
  expect(closed.stdout).toContain("Nothing was taken");
  expect(closed.stdout).not.toContain("By hand");
  expect((await run(["list"])).stdout).toMatch(
    /A laptop was stolen +2026-11-20 12:00:00 +2026-11-20 12:00:00/,
  );
});

test("customers are written to with the text of a file; of one node where it is named", async () => {
  await start();
  const path = join(service.home().dir, "letter.txt");
  await writeFile(path, "\n");
  const send = (...more: string[]) => run(["notify", "About your account", "-f", path, ...more, ...PROVED]);
  expect((await send()).stderr).toContain("is empty");
  expect((await run(["notify", "Hello", "-f", `${path}.none`, ...PROVED])).stderr).toContain(
    "cannot be read",
  );
  await writeFile(path, "Dear customer,\n\nlog in anew.\n");
  expect((await send()).code).toBe(0);
  const [node] = service.api().state.fleet.nodes;
  expect((await send("--node", node?.name ?? "")).code).toBe(0);
  const letter = { subject: "About your account", text: "Dear customer,\n\nlog in anew." };
  expect(fake().notices).toEqual([letter, { ...letter, node_id: node?.id }]);
});

test("without an open breach nothing is ended, and how one is opened is said", async () => {
  expect((await run(["status"])).stdout).toBe("No breach was ever opened.\n");
  const ran = await run(["rotate", "sessions", ...PROVED]);
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining("securewave breach start") });
  await start();
  expect((await run(["note", "The key was used on Tuesday"])).stdout).toContain(
    "The key was used on Tuesday",
  );
  await run(["close", ...PROVED]);
  expect((await run(["note", "Late"])).stderr).toContain("No breach is open.");
  expect(fake().rotated).toEqual([]);
});
