import { expect, test } from "vitest";
import { talk } from "../testing/fake-person.ts";
import { fakeApiKey } from "../testing/fake-security.ts";
import { PASSWORD } from "../testing/fake-state.ts";
import { useService } from "../testing/service.ts";

const service = useService();
const keys = () => service.api().state.security.apiKeys;
const admin = () => service.api().state.accounts[0]?.id ?? "";

test("the text of a new key is all that standard output holds, and what to know of it stands beside", async () => {
  const line = "api-keys create Dashboard --scope fleet:read,blocks:read --scope audit:read --password-stdin";
  const ran = await service.run(line, { stdin: PASSWORD });
  expect([ran.stdout, ran.code]).toEqual([`${keys()[0]?.text}\n`, 0]);
  expect(ran.stderr).not.toContain(keys()[0]?.text);
  expect(ran.stderr).toContain("may do  fleet:read, blocks:read, audit:read; 300 requests a minute");
  expect(ran.stderr).toContain("until   2027-02-18");
  expect(ran.stderr).toContain("Warning: this text is shown once.");
});

test("rate and end are those that are asked for", async () => {
  const line = "api-keys create Backup -s devices:read --expires-in 4w --rate 10 --password-stdin --json";
  const ran = await service.run(line, { stdin: PASSWORD });
  expect(ran.json()).toMatchObject({
    name: "Backup",
    scopes: ["devices:read"],
    requests_per_minute: 10,
    expires_on: "2026-12-18",
    text: keys()[0]?.text,
  });
  expect(ran.stderr).toBe("");
});

test("a person is asked for the password, and a wrong one makes no key", async () => {
  const line = "api-keys create Dashboard -s fleet:read";
  const wrong = await talk(service, line, [["Password: ", "wrong"]]);
  expect([wrong.code, wrong.stdout]).toEqual([1, ""]);
  expect(wrong.stderr).toContain("(accounts.wrong_password)");
  expect(keys()).toEqual([]);
  const right = await talk(service, line, [["Password: ", PASSWORD]]);
  expect(right.stdout).toBe(`${keys()[0]?.text}\n`);
  expect(right.stderr).not.toContain(PASSWORD);
  expect((await service.run(line)).stderr).toContain("--password-stdin");
});

test("a key needs scopes that there are, and an end that the service allows", async () => {
  for (const [options, text] of [
    ["", "--scope"],
    ["--scope everything", "Allowed choices are account:read"],
    ["--scope ,", "Allowed choices are account:read"],
    ["--scope fleet:read --rate 0", "whole number"],
    ["--scope fleet:read --expires-in 12h", "30d or 12w"],
  ] as const) {
    const ran = await service.run(`api-keys create Dashboard ${options}`.trim(), { stdin: PASSWORD });
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(text)]);
  }
  const line = "api-keys create Dashboard -s fleet:read --expires-in 400d --password-stdin --json";
  const long = await service.run(line, { stdin: PASSWORD });
  expect(JSON.parse(long.stderr).error).toMatchObject({
    code: "api_keys.too_long",
    next: expect.stringContaining("--expires-in"),
  });
});

test("keys are listed without their texts, and with until when an old text works", async () => {
  expect((await service.run("api-keys list")).stdout).toBe("No API keys.\n");
  keys().push(fakeApiKey(admin(), "Dashboard", ["fleet:read"]), fakeApiKey("acc_other", "Theirs", []));
  const { stdout } = await service.run("api-keys list");
  expect(stdout).toMatch(/^NAME +SCOPES +RATE +CREATED +UNTIL +ID$/m);
  expect(stdout).toMatch(/^Dashboard +fleet:read +300\/min +2026-11-20 \(today\) +2027-02-18 +key_/m);
  expect(stdout).toContain("1 API key\n");
  expect(stdout).not.toContain(keys()[0]?.text);
  Object.assign(keys()[0] ?? {}, { previous_until: "2026-11-21" });
  expect((await service.run("api-keys list")).stdout).toMatch(/OLD TEXT UNTIL.*\n.* 2026-11-21 /);
});

test("a key gets a new text for the password and a code, and until when the old one works is told", async () => {
  keys().push(fakeApiKey(admin(), "Dashboard", ["fleet:read"]));
  service.api().state.security.codes.set(admin(), ["123456", "abcde-fghij"]);
  expect((await service.run("api-keys rotate Dashboard")).code).toBe(2);
  const ran = await talk(service, "api-keys rotate dash", [
    ["Password: ", PASSWORD],
    ["Code: ", "123456"],
  ]);
  expect(ran.stdout).toBe(`${keys()[0]?.text}\n`);
  expect(ran.stderr).toContain("The old text works until the end of 2026-11-21 (UTC).");
  const again = await service.run("api-keys rotate Dashboard --password-stdin --json", {
    stdin: `${PASSWORD}\nabcde-fghij\n`,
  });
  expect(again.json()).toMatchObject({
    text: keys()[0]?.text,
    previous_until: "2026-11-21",
  });
});

test("a key is revoked by its name or id, after asking; of two by one name the id decides", async () => {
  keys().push(fakeApiKey(admin(), "Backup", []), fakeApiKey(admin(), "Backup", []));
  const [first, second] = keys().map(({ id }) => id);
  const both = await service.run("api-keys revoke Backup --yes");
  expect(both.stderr).toContain("cli.ambiguous");
  expect(both.stderr).toContain(first);
  const declined = await talk(service, `api-keys revoke ${second}`, [["[y/N] ", "n"]]);
  expect(declined.stderr).toContain("Programs that use it are refused from that moment.");
  expect((await service.run(`api-keys revoke ${second} --yes`)).stdout).toBe("Backup is revoked.\n");
  expect(keys().map(({ id }) => id)).toEqual([first]);
  expect((await service.run("api-keys revoke Nothing --yes")).stderr).toContain("api_keys.not_found");
});
