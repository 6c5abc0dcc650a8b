import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const blocks = () => service.api().state.security.blocks;

test("what is blocked is listed with why and for how long", async () => {
  const { stdout } = await service.run("blocks list");
  const [titles, origin, network, , count] = stdout.split("\n");
  expect(titles).toMatch(/^BLOCKED +KIND +REASON +ENDS IN +ID$/);
  expect(origin).toMatch(/^o-7f3a9c +origin of the day +too many refused requests +2 h +blk_/);
  expect(network).toMatch(/^203\.0\.113\.0\/24 +network +blocked by staff +2 h +blk_/);
  expect(count).toBe("2 blocks");
  expect((await service.run("blocks list --json")).json()).toEqual({ items: blocks(), next_cursor: null });
});

test("a list that is empty says that nobody is blocked", async () => {
  blocks().length = 0;
  expect((await service.run("blocks list")).stdout).toBe("Nobody is blocked.\n");
});

test("a network is blocked for an hour, or as long as is said", async () => {
  const hour = await service.run("blocks add 198.51.100.7");
  expect(hour.stdout).toBe("198.51.100.7 is blocked for 1 h.\n");
  expect(Date.parse(blocks()[0]?.until ?? "") - Date.parse(blocks()[0]?.since ?? "")).toBe(3_600_000);
  const week = await service.run("blocks add 2001:db8::/48 --for 7d --json");
  expect(week.json()).toEqual(blocks()[0]);
  expect(blocks()[0]?.until).toBe("2026-11-27T12:00:00.000Z");
});

test("a block longer than a week is wrong usage, and one of oneself is refused with what to do", async () => {
  const long = await service.run("blocks add 198.51.100.7 --for 8d");
  expect([long.code, long.stderr]).toEqual([2, expect.stringContaining("7 days at most")]);
  const own = await service.run("blocks add 127.0.0.0/8 --json");
  expect(JSON.parse(own.stderr).error).toMatchObject({
    code: "blocks.would_lock_out",
    next: expect.stringContaining("smaller network"),
  });
  expect((await service.run("blocks add example.org")).stderr).toContain("blocks.wrong_network");
});

test("a block of a network is lifted by its name, without asking", async () => {
  const ran = await service.run("blocks lift 203.0");
  expect(ran.stdout).toBe("The block of 203.0.113.0/24 is lifted.\n");
  expect(blocks()).toHaveLength(1);
});

test("an origin that was blocked by itself is let in only after asking", async () => {
  const id = blocks()[0]?.id ?? "";
  expect((await service.run(`blocks lift ${id}`)).code).toBe(2);
  const declined = await service.run(`blocks lift ${id}`, { terminal: 80, stdin: "n" });
  expect(declined.stderr).toContain("too many refused requests");
  expect(blocks()).toHaveLength(2);
  expect((await service.run(`blocks lift ${id} --yes --json`)).json()).toMatchObject({ id });
  expect(blocks()).toHaveLength(1);
});

test("a block that there is not, or that several could be, is told", async () => {
  expect((await service.run("blocks lift 192.0.2.1")).stderr).toContain("(blocks.not_found)");
  expect((await service.run("blocks lift blk_")).stderr).toContain("(cli.ambiguous)");
});

test("a customer is told that the role does not allow it", async () => {
  await service.logIn("ada@example.org");
  expect((await service.run("blocks list")).stderr).toContain("request.not_allowed");
});
