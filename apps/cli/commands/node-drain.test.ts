import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const node = (name: string) => service.api().state.fleet.nodes.find((each) => each.name === name);

test("draining a node says what happens to its devices, and how to see how far it is", async () => {
  const { stdout } = await service.run("nodes drain US-East-1");
  expect(stdout).toContain("gives its 12 devices to other nodes and gets no new ones");
  expect(stdout).toContain("Former configurations work until the end of 2026-11-27 (UTC).");
  expect(stdout).toContain("nodes drain US-East-1 --wait");
  expect(node("US-East-1")?.state).toBe("draining");
  expect((await service.run("nodes undrain US-East-1 --json")).json()).toMatchObject({ state: "healthy" });
});

test("who waits is told when the node is empty, with a bar on a terminal", async () => {
  service.api().state.fleet.drainPace = 8;
  const ran = await service.run("nodes drain US-East-1 --wait", { terminal: 100, stdin: "" });
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stdout).toContain("US-East-1 holds no devices");
  expect(ran.stdout).toContain("2026-11-27");
  expect(ran.stderr).toContain("US-East-1 moves 12 devices [####################..........] 66 %");
  expect(ran.stderr.endsWith("\r\u001b[2K")).toBe(true);
});

test("waiting ends with the time that was given, and says what is left and why", async () => {
  const { fleet } = service.api().state;
  fleet.drainPace = 5;
  Object.assign(node("US-East-1") ?? {}, { problem: "7 devices find no other place." });
  const ran = await service.run("nodes drain US-East-1 --wait --timeout 1s --json");
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  const { error } = JSON.parse(ran.stderr);
  expect(error).toMatchObject({
    code: "cli.still_draining",
    next: expect.stringContaining("nodes show US-East-1"),
  });
  expect(error.message).toBe("US-East-1 still holds 7 devices after 1 s. 7 devices find no other place.");
  expect((await service.run("nodes drain US-East-1 --wait --timeout soon")).code).toBe(2);
});

test("an empty node is drained at once, and nobody waits", async () => {
  Object.assign(node("US-East-1") ?? {}, { devices: 0 });
  const { stdout } = await service.run("nodes drain US-East-1 --wait");
  expect(stdout).toContain("It can go: securewave nodes remove US-East-1");
});

test("who waits is told when somebody else ended the draining", async () => {
  const waiting = service.run("nodes drain US-East-1 --wait");
  while (node("US-East-1")?.state !== "draining") await new Promise((done) => setTimeout(done, 10));
  await service.run("nodes undrain US-East-1");
  const ran = await waiting;
  expect(ran).toMatchObject({ code: 1 });
  expect(ran.stderr).toContain("cli.draining_ended");
});
