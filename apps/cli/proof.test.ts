import { expect, test } from "vitest";
import { talk } from "./testing/fake-person.ts";
import { PASSWORD } from "./testing/fake-state.ts";
import { useService } from "./testing/service.ts";

const LOGIN = "login --email ada@example.org --password-stdin";
const service = useService();
const ada = () => service.api().state.accounts[1]?.id ?? "";
const security = () => service.api().state.security;

test("where a second factor is on, a person is asked for a code, and again after a wrong one", async () => {
  security().codes.set(ada(), ["123456"]);
  const ran = await talk(service, "login --email ada@example.org", [
    ["Password: ", PASSWORD],
    ["Code: ", "654321"],
    ["Code: ", " 123456 "],
  ]);
  expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining("as ada@example.org")]);
  expect(ran.stderr).toContain("Enter the code of your authenticator app, or one of your recovery codes.");
  expect(ran.stderr).toContain("This code is wrong, was used already or has ended.\n");
});

test("after three wrong codes nobody is asked for more", async () => {
  security().codes.set(ada(), []);
  const ran = await talk(service, "login --email ada@example.org", [
    ["Password: ", PASSWORD],
    ["Code: ", "111111"],
    ["Code: ", "222222"],
    ["Code: ", "333333"],
  ]);
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining("(sessions.wrong_code)")]);
});

test("a program gives the code in the line after the password", async () => {
  security().codes.set(ada(), ["abcde-fghij"]);
  const without = await service.run(`${LOGIN} --json`, { stdin: `${PASSWORD}\n` });
  expect(JSON.parse(without.stderr).error).toMatchObject({
    code: "sessions.second_factor_needed",
    next: expect.stringContaining("in the line after the password"),
  });
  const wrong = await service.run(LOGIN, { stdin: `${PASSWORD}\n000000\n` });
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("(sessions.wrong_code)")]);
  const right = await service.run(LOGIN, { stdin: `${PASSWORD}\r\nabcde-fghij\r\n\r\n` });
  expect([right.code, right.stderr]).toEqual([0, ""]);
});

test("standard input holds a password and a code, and nothing beyond", async () => {
  for (const stdin of ["\n123456\n", `${PASSWORD}\n123456\nmore\n`]) {
    const ran = await service.run(LOGIN, { stdin });
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("tandard input")]);
    expect(ran.stderr).not.toContain(PASSWORD);
  }
});

test("who is locked out is told until when to wait", async () => {
  security().lockedSeconds = 754;
  const ran = await service.run(LOGIN, { stdin: PASSWORD });
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining("(sessions.locked)")]);
  expect(ran.stderr).toContain("Try again in 13 min, after 12:12:34 UTC.\n");
  const inJson = await service.run(`${LOGIN} --json`, { stdin: PASSWORD });
  expect(JSON.parse(inJson.stderr).error).toMatchObject({ status: 429, retry_after_seconds: 754 });
  security().lockedSeconds = 5;
  expect((await service.run(LOGIN, { stdin: PASSWORD })).stderr).toContain("Try again in 5 s.\n");
});
