import { expect, test } from "vitest";
import { fakeApiKey } from "./testing/fake-security.ts";
import { PASSWORD } from "./testing/fake-state.ts";
import { useService } from "./testing/service.ts";

const LOGIN = "login --email ada@example.org --password-stdin";
const service = useService();
const ada = () => service.api().state.accounts[1]?.id ?? "";
const security = () => service.api().state.security;

const useKey = (...scopes: Parameters<typeof fakeApiKey>[2]) => {
  const key = fakeApiKey(ada(), "Script", scopes);
  security().apiKeys.push(key);
  return { env: { SECUREWAVE_API_KEY: key.text } };
};

test("an API key in the environment works in place of a log-in", async () => {
  const options = useKey("account:read");
  expect((await service.run("whoami", options)).stdout).toContain("ada@example.org");
  const login = await service.run(LOGIN, { ...options, stdin: PASSWORD });
  expect(login.stderr).toBe("SECUREWAVE_API_KEY is set, and is used in place of this log-in.\n");
  const logout = await service.run("logout", options);
  expect([logout.code, logout.stderr]).toEqual([2, expect.stringContaining("api-keys revoke")]);
});

test("an API key in the environment that lacks a scope is told which one, also where an id stands in the path", async () => {
  const options = useKey("account:read");
  const list = await service.run("devices mine --json", options);
  expect(JSON.parse(list.stderr).error).toMatchObject({
    code: "sentinel.scope_missing",
    message: "This API key has no scope for that: it needs devices:read.",
    next: expect.stringContaining("api-keys create"),
  });
  const show = await service.run("devices show dev_0123456789abcdefghjk", options);
  expect(show.stderr).toContain("it needs devices:read.");
});

test("an API key in the environment is told what no scope allows", async () => {
  const ran = await service.run("api-keys list", useKey("account:read"));
  expect(ran.stderr).toContain("No API key may do that, whatever its scopes");
});

test("an API key in the environment that has ended is told to be the reason, not the log-in", async () => {
  const options = useKey("account:read");
  security().apiKeys.length = 0;
  const ran = await service.run("whoami", options);
  expect(ran.stderr).toContain("SECUREWAVE_API_KEY is used in place of a log-in");
  expect(ran.stderr).not.toContain("securewave login");
});

test("an API key in the environment is not sent, and not shown, when it is none or another credential stands beside it", async () => {
  for (const env of [
    { SECUREWAVE_API_KEY: "secret text" },
    { SECUREWAVE_API_KEY: "swk_a_b\n" },
    { SECUREWAVE_API_KEY: "swk_a_b", SECUREWAVE_TOKEN: "secret" },
    { SECUREWAVE_TOKEN: "secret\n" },
  ]) {
    const before = service.api().requests.length;
    const ran = await service.run("whoami", { env });
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("SECUREWAVE_")]);
    expect(ran.stderr).not.toMatch(/secret|swk_a/);
    expect(service.api().requests).toHaveLength(before);
  }
});
