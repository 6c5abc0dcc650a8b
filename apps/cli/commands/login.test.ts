import { readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { talk } from "../testing/fake-person.ts";
import { PASSWORD } from "../testing/fake-state.ts";
import { useService } from "../testing/service.ts";

const service = useService();
const ada = () => service.api().state.accounts[1]?.id ?? "";
const LOGIN = "login --email ada@example.org --password-stdin";
const security = () => service.api().state.security;
const path = () => join(service.home().dir, ".config", "securewave", "credentials.json");

test("a log-in is kept where only its owner can read it, without the password", async () => {
  expect((await stat(path())).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(path()))).mode & 0o777).toBe(0o700);
  expect(await readFile(path(), "utf8")).not.toContain(PASSWORD);
});

test("log-ins are kept by address, and the last one is used where none is named", async () => {
  const { url } = service.api();
  const ran = await service.run("whoami --json", { env: { SECUREWAVE_URL: "" } });
  expect(ran.json()).toMatchObject({ url, account: { email: "admin@example.org", role: "admin" } });
  const elsewhere = await service.run(`whoami --url ${url.replace("127.0.0.1", "localhost")} --json`);
  expect(elsewhere.code).toBe(1);
  expect(JSON.parse(elsewhere.stderr)).toMatchObject({ error: { code: "request.not_logged_in" } });
});

test("whoami says whose log-in is used", async () => {
  const ran = await service.run("whoami");
  expect(ran.stdout).toMatch(/Account\s+admin@example\.org\n/);
  expect(ran.stdout).toMatch(/Created\s+2026-11-17 \(3 days ago\)\n/);
});

test("a person at a terminal is asked for address and password, and the password is not shown", async () => {
  const ran = await service.run("login", { terminal: 80, stdin: `ada@example.org\n${PASSWORD}` });
  expect(ran.code).toBe(0);
  expect(ran.stdout).toContain("as ada@example.org");
  expect(ran.stdout + ran.stderr).not.toContain(PASSWORD);
});

test("a wrong password is refused, and the old log-in stays", async () => {
  const ran = await service.run("login --email ada@example.org --password-stdin", { stdin: "wrong" });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("(sessions.wrong_credentials)");
  expect((await service.run("whoami")).stdout).toContain("admin@example.org");
});

test("without a terminal the password has to come on standard input", async () => {
  const ran = await service.run("login --email ada@example.org");
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain("--password-stdin");
});

test("an ended access token is renewed without a word", async () => {
  service.api().state.expireAccessTokens();
  const ran = await service.run("whoami");
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(service.api().requests.filter((line) => line.includes("refresh"))).toHaveLength(1);
});

test("an ended log-in leads to logging in again", async () => {
  for (const session of service.api().state.sessions) session.hasEnded = true;
  const ran = await service.run("whoami");
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("securewave login");
});

test("a token in the environment works in place of a log-in", async () => {
  const { access } = service.api().state.openSession(ada());
  const ran = await service.run("whoami", { env: { SECUREWAVE_TOKEN: access } });
  expect(ran.stdout).toContain("ada@example.org");
});

test("logging out ends the log-in at the service and forgets it here", async () => {
  const ran = await service.run("logout --json");
  expect(ran.json()).toEqual({ url: service.api().url, ended: true });
  expect(await readFile(path(), "utf8")).not.toContain("refresh-");
  expect(service.api().state.sessions[0]?.hasEnded).toBe(true);
  expect((await service.run("logout --json")).json()).toMatchObject({ ended: false });
});

test("a corrupt file of log-ins is named, with what to do", async () => {
  await writeFile(path(), "{");
  const ran = await service.run("whoami --json");
  expect(ran.code).toBe(1);
  expect(JSON.parse(ran.stderr).error).toMatchObject({ code: "cli.credentials_unreadable" });
  expect(JSON.parse(ran.stderr).error.message).toContain(path());
});

test("plain http to another machine is warned of before the password goes out", async () => {
  const ran = await service.run("login --url http://vpn.invalid --email a@example.org --password-stdin", {
    stdin: "x",
  });
  expect(ran.stderr).toContain("plain http");
  expect(ran.code).toBe(3);
});

test("the proof of work that a service under attack wants is done without a word", async () => {
  security().isUnderAttack = true;
  const ran = await service.run(LOGIN, { stdin: PASSWORD });
  expect([ran.code, ran.stderr, security().solved.length]).toEqual([0, "", 1]);
});

test("a person is told of the proof of work, which each step of a log-in does anew", async () => {
  security().isUnderAttack = true;
  security().codes.set(ada(), ["123456"]);
  const ran = await talk(service, "login --email ada@example.org", [
    ["Password: ", PASSWORD],
    ["Code: ", "123456"],
  ]);
  expect([ran.code, security().solved.length]).toEqual([0, 2]);
  expect(ran.stderr).toContain("a little arithmetic");
});
