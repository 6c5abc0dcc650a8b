import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const alerts = () => service.api().state.alerts.alerts;

test("what fires is shown with what to do, and the command fails until somebody silences it", async () => {
  const firing = await service.run("alerts list");
  expect(firing.code).toBe(1);
  expect(firing.stdout).toMatch(
    /^ALERT +SEVERITY +STATE +FOR +WHAT\nNodeOffline +critical +firing +30 min +A VPN/,
  );
  expect(firing.stdout).toContain("docs/runbooks/alerts.md#node-offline");
  expect(firing.stdout).not.toContain("DiskFilling");
  const silenced = await service.run("alerts silence NodeOffline --for 2h --reason moved");
  expect(silenced.stdout).toBe("NodeOffline is silent for 2 h.\n");
  const quiet = await service.run("alerts list --all");
  expect(quiet.code).toBe(0);
  expect(quiet.stdout).toMatch(/NodeOffline +critical +firing, silent/);
  expect(quiet.stdout).toContain("Silent until 2026-11-20 13:59: moved.");
  expect(quiet.stdout).toMatch(/DiskFilling +warning +quiet/);
  expect((await service.run("alerts unsilence NodeOffline")).stdout).toBe("NodeOffline is heard again.\n");
});

test("with --json everything that was answered comes out", async () => {
  const { json } = await service.run("alerts list --all --json");
  expect(json()).toEqual({ judged_at: "2026-11-20T11:59:00.000Z", items: alerts() });
});

test("nothing that fires is said in a sentence", async () => {
  alerts().length = 0;
  const { code, stdout } = await service.run("alerts list");
  expect([code, stdout]).toEqual([0, "Nothing fires.\n\nJudged 1 min ago.\n"]);
});

test("when alerts fired is listed, the newest first", async () => {
  const [titles, first, second] = (await service.run("alerts history")).stdout.split("\n");
  expect(titles).toMatch(/^ALERT +SEVERITY +BEGAN \(UTC\) +ENDED \(UTC\)$/);
  expect(first).toMatch(/^NodeOffline +critical +2026-11-20 11:30 +it still fires$/);
  expect(second).toMatch(/^RedisDown +warning +2026-11-12 02:10 +2026-11-12 02:25$/);
});

test("a silence needs a reason, an end within four weeks, and an alert that there is", async () => {
  expect((await service.run("alerts silence NodeOffline")).stderr).toContain("--reason");
  expect((await service.run("alerts silence NodeOffline --reason x --for 29d")).stderr).toContain(
    "28 days at most",
  );
  expect((await service.run("alerts silence NoSuch --reason x")).stderr).toContain("(alerts.not_found)");
  expect((await service.run("alerts unsilence NodeOffline")).stderr).toContain("(alerts.not_silenced)");
});

test("health shows each part and fails while one does", async () => {
  const failing = await service.run("health");
  expect(failing.code).toBe(1);
  expect(failing.stdout).toMatch(
    /^The service is degraded\.\n\nPART +STATE +WHAT\nDatabase +well +It answers\./,
  );
  expect(failing.stdout).toContain("VPN servers: `securewave nodes list` names it.");
  const { checks } = service.api().state.alerts.health;
  for (const check of checks) Object.assign(check, { state: "well", advice: null });
  expect((await service.run("health --json")).code).toBe(0);
});
