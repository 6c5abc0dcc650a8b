import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();

test("a month is shown with its budget and its figures, and what nobody measured as unknown", async () => {
  const { stdout, code } = await service.run("sla");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^PART +UPTIME +AT LEAST +DOWN +DEGRADED +MAINTENANCE +UNKNOWN$/m);
  expect(stdout).toMatch(/API and console +99\.930 % +99\.895 % +20 min +0 min +0 min +10 min/);
  expect(stdout).toContain("20 of 43.2 min spent, 53 % left; 10 min unknown");
  expect(stdout).toMatch(/Memory +83\.00 % +80\.00 % +90\.00 % +missed/);
});

test("a month of which nothing is known is not shown as one in which all was well", async () => {
  const { stdout } = await service.run("sla --month 2026-10");
  expect(stdout).toMatch(/API and console +unknown +unknown/);
  expect(stdout).not.toContain("100");
  expect((await service.run("sla --month 2026-10 --json")).json()).toMatchObject({
    month: "2026-10",
    days: [],
  });
});

test("what is no month is wrong usage", async () => {
  expect(await service.run("sla --month november")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("2026-11"),
  });
});
