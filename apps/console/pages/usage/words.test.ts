import type { OwnPlan, Usage } from "@securewave/contracts";
import { expect, test } from "vitest";
import { noticeOf, planLines, serversText, speedText, usedText } from "./words.ts";

const plan: OwnPlan = {
  name: "Basic",
  quota_bytes: 200e9,
  on_quota: "throttle",
  throttle_kbit_per_second: 1500,
  speed_kbit_per_second: 50_000,
  connections_max: 3,
  devices_max: null,
  server_tags: [],
};
const usage: Usage = {
  month: "2026-11",
  used_bytes: 50e9,
  quota_bytes: 200e9,
  percent: 25,
  level: "below",
  restriction: "none",
  throttle_kbit_per_second: null,
  resets_on: "2026-12-01",
};

test("nothing is said while there is enough, and what happens before it does", () => {
  expect(noticeOf(usage, plan)).toBeUndefined();
  expect(noticeOf({ ...usage, level: "warned" }, plan)).toMatchObject({
    tone: "warn",
    text: expect.stringMatching(/^When all of it is used, each device goes on at 1\.5 Mbit\/s, until .*2026/),
  });
  expect(noticeOf({ ...usage, level: "warned" }, { ...plan, on_quota: "block" })?.text).toContain(
    "your devices have no connection",
  );
});

test("what happens at the end is said with the day on which it ends", () => {
  const reached = noticeOf({ ...usage, level: "reached" }, { ...plan, on_quota: "block" });
  expect(reached?.tone).toBe("bad");
  expect(reached?.text).toMatch(/^Your devices have no connection, until .*2026/);
});

test("use and plans are shown in their largest units", () => {
  expect(usedText(usage)).toBe("50.0 GB of 200 GB");
  expect(usedText({ ...usage, quota_bytes: null })).toBe("50.0 GB");
  expect(planLines(plan)).toEqual([
    ["Traffic", "200 GB a month, then 1.5 Mbit/s"],
    ["Speed", "50 Mbit/s for each device, in each direction"],
    ["Connected at the same time", "At most 3"],
    ["Devices", "As the service allows"],
  ]);
});

test("what has no limit says so, and the servers of a plan are counted among all", () => {
  expect(speedText({ ...plan, speed_kbit_per_second: null })).toBe("Unlimited");
  expect(serversText([{ included: true }, { included: false }])).toBe("1 of 2");
  expect(serversText([{ included: true }])).toBe("All");
});
