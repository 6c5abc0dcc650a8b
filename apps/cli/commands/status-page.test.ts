import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const status = () => service.api().state.status;
const run = (args: readonly string[], options = {}) => service.home().run(["status-page", ...args], options);

test("an incident is opened, updated and resolved by its title", async () => {
  const opened = await run([
    "incident",
    "open",
    "Log-ins fail",
    "--text",
    "We look into it.",
    "-i",
    "api=degraded",
    "-i",
    "tunnels/us-east=down",
  ]);
  expect(opened.stderr).toBe("");
  expect(opened.stdout).toMatch(/^Log-ins fail is on the status page \(inc_/);
  expect(status().incidents[0]?.components).toEqual([
    { component: "api", impact: "degraded" },
    { component: "tunnels/us-east", impact: "down" },
  ]);
  await run(["incident", "update", "log-ins", "--state", "identified", "--text", "A disk is full."]);
  const again = await run(["incident", "update", "log-ins", "--text", "Still full.", "--json"]);
  expect(again.json()).toMatchObject({ state: "identified" });
  const resolved = await run(["incident", "resolve", "log-ins"]);
  expect(resolved.stdout).toBe("Log-ins fail is resolved.\n");
  const { stdout } = await run(["incident", "list"]);
  expect(stdout).toMatch(/Log-ins fail +resolved +2026-11-20 12:00 +api, tunnels\/us-east +inc_/);
  expect(await run(["incident", "resolve", "log-ins"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("status.already_resolved"),
  });
});

test("an incident gets another title, and other parts in place of those that it had", async () => {
  await run(["incident", "open", "Slow", "-t", "It is slow.", "-i", "api=degraded"]);
  const edited = await run(["incident", "edit", "slow", "-i", "mail=down", "-i", "api=none"]);
  expect(edited.stdout).toBe("Slow: mail=down, api=none.\n");
  expect((await run(["incident", "edit", "slow", "--title", "Slow log-ins"])).stdout).toBe(
    "Slow log-ins: mail=down, api=none.\n",
  );
  expect((await run(["incident", "edit", "slow", "--no-impact"])).stdout).toContain("no part in particular");
  expect(status().incidents[0]).toMatchObject({ title: "Slow log-ins", components: [] });
  await run(["incident", "edit", "slow", "--no-impact", "-i", "api=down"]);
  expect(status().incidents[0]?.components).toEqual([{ component: "api", impact: "down" }]);
  expect(await run(["incident", "edit", "slow"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Say what is to change"),
  });
});

test("how a part does is one of some words, and an incident that there is not is told", async () => {
  expect(await run(["incident", "open", "Tea", "-t", "None.", "-i", "api=broken"])).toMatchObject({
    code: 2,
  });
  expect((await run(["incident", "resolve", "Nothing"])).stderr).toContain("status.incident_not_found");
});

test("an incident is taken off only after asking", async () => {
  await run(["incident", "open", "Slow", "-t", "It is slow."]);
  expect((await run(["incident", "remove", "Slow"])).code).toBe(2);
  expect((await run(["incident", "remove", "Slow", "--yes"])).stdout).toContain("off the status page");
  expect((await run(["incident", "list"])).stdout).toBe("There was no incident.\n");
});

test("the page is shown as everybody sees it", async () => {
  status().states.set("mail", "down");
  const { stdout } = await run(["show"]);
  expect(stdout).toMatch(/API and console +up +99\.97 %/);
  expect(stdout).toMatch(/Mail +down/);
});
