import { type RunResult, type TemporaryDir, temporaryDir } from "@securewave/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AuthenticatorApp, openAuthenticatorApp } from "./authenticator-app.ts";
import { commandAt } from "./cli-program.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { logIn, PASSWORD, type Person, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";

const ADA = "ada@example.org";
const ADMIN = "admin@example.org";
/** After fewer than these an account is locked. */
const FAILURES_MAX = 20;

describe("the command and what guards a running service", { timeout: 180_000 }, () => {
  let dir: TemporaryDir;
  let plane: ControlPlane;
  let app: AuthenticatorApp;
  let ada: Person;
  let recoveryCodes: string[];

  const { securewave, told, json } = commandAt(() => ({ homeDir: dir.path, url: plane.url }));
  const enter = (email: string, ...lines: readonly string[]) =>
    securewave(["login", "--email", email, "--password-stdin", "--json"], `${lines.join("\n")}\n`);
  const refusalOf = ({ stderr }: RunResult) => JSON.parse(stderr).error;

  beforeAll(async () => {
    dir = temporaryDir("cli-security");
    plane = await startControlPlane({
      dir: dir.path,
      hasNoLimits: true,
      env: {
        TRUSTED_PROXIES: "127.0.0.1",
        CHALLENGE_FAILED_LOGINS: "10",
        AUTO_BLOCK_FAILED_LOGINS: "1000",
      },
    });
    const admin = await setUpAdmin(plane.url, plane.setupLink);
    await admin.client.accounts.create({ body: { email: ADA, password: PASSWORD } });
    ada = await logIn(plane.url, ADA);
    const { secret } = await ada.client.secondFactor.begin({ body: { password: PASSWORD } });
    app = openAuthenticatorApp(secret);
    const confirmed = await ada.client.secondFactor.confirm({ body: { code: await app.nextCode() } });
    recoveryCodes = confirmed.recovery_codes;
  }, 240_000);

  afterAll(async () => {
    await plane?.process.stop();
    expect(await processesOf(dir.path)).toEqual([]);
    dir.remove();
  });

  test("a log-in with a second factor takes the code from the line after the password", async () => {
    expect(refusalOf(await enter(ADA, PASSWORD)).code).toBe("sessions.second_factor_needed");
    const entered = await enter(ADA, PASSWORD, await app.nextCode());
    expect(entered.code, entered.stderr).toBe(0);
    expect(await json("whoami")).toMatchObject({ account: { email: ADA } });
  });

  test("an API key does what its scopes allow, and is told which one it lacks", async () => {
    const made = await securewave(
      ["api-keys", "create", "Script", "--scope", "account:read", "--password-stdin"],
      `${PASSWORD}\n${recoveryCodes.pop()}\n`,
    );
    expect(made.stdout).toMatch(/^swk_\S+\n$/);
    const key = made.stdout.trim();
    const who = await securewave(["whoami", "--json"], "", { SECUREWAVE_API_KEY: key });
    expect(JSON.parse(who.stdout)).toMatchObject({ account: { email: ADA } });
    const devices = await securewave(["devices", "mine", "--json"], "", { SECUREWAVE_API_KEY: key });
    expect(refusalOf(devices)).toMatchObject({
      code: "sentinel.scope_missing",
      message: expect.stringContaining("devices:read"),
    });

    const again = await securewave(
      ["api-keys", "rotate", "Script", "--password-stdin"],
      `${PASSWORD}\n${recoveryCodes.pop()}\n`,
    );
    expect(again.code, again.stderr).toBe(0);
    const rotated = again.stdout.trim();
    for (const text of [key, rotated])
      expect((await securewave(["whoami"], "", { SECUREWAVE_API_KEY: text })).code).toBe(0);
    await told("api-keys", "revoke", "Script", "--yes");
    const ended = await securewave(["whoami", "--json"], "", { SECUREWAVE_API_KEY: rotated });
    expect(refusalOf(ended)).toMatchObject({
      code: "request.not_logged_in",
      next: expect.stringContaining("SECUREWAVE_API_KEY"),
    });
  });

  test("one's own log-ins are listed, and another one is ended", async () => {
    const { items } = await json("sessions", "list");
    const other = items.find((logIn: { is_current: boolean }) => !logIn.is_current);
    expect(items).toHaveLength(2);
    await told("sessions", "end", other.id, "--yes");
    await expect(ada.client.accounts.me()).rejects.toMatchObject({ code: "request.not_logged_in" });
  });

  test("an admin blocks a network, lets it in, and helps somebody who lost a phone", async () => {
    expect((await enter(ADMIN, PASSWORD)).code).toBe(0);
    await told("blocks", "add", "203.0.113.0/24", "--for", "7d");
    expect(await told("blocks", "list")).toMatch(/^203\.0\.113\.0\/24 +network +blocked by staff +7 days/m);
    expect(refusalOf(await securewave(["blocks", "add", "127.0.0.0/8", "--json"])).code).toBe(
      "blocks.would_lock_out",
    );
    await told("blocks", "lift", "203.0.113.0/24");
    expect(await told("blocks", "list")).toBe("Nobody is blocked.\n");

    await told("users", "log-out", ADA, "--yes");
    await told("users", "reset-second-factor", ADA, "--yes");
    expect((await enter(ADA, PASSWORD)).code).toBe(0);
  });

  test("a service under attack gets its proof of work, and lets the right one in", async () => {
    const stranger = (attempt: number) =>
      fetch(`${plane.url}/api/auth/login`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-forwarded-for": `198.51.100.${attempt}` },
        body: JSON.stringify({ email: `leaked${attempt}@example.org`, password: "from a list 42" }),
      });
    let code = "";
    for (let attempt = 0; attempt < 200 && code !== "sentinel.challenge_required"; attempt++) {
      code = JSON.parse(await (await stranger(attempt)).text()).code;
    }
    expect(code).toBe("sentinel.challenge_required");
    const entered = await enter(ADMIN, PASSWORD);
    expect(entered.code, entered.stderr).toBe(0);
    expect(await json("whoami")).toMatchObject({ account: { email: ADMIN } });
  });

  test("who fails too often is told how long to wait", async () => {
    let refusal = refusalOf(await enter("nobody@example.org", "wrong wrong"));
    for (let tries = 1; tries < FAILURES_MAX && refusal.code !== "sessions.locked"; tries++) {
      refusal = refusalOf(await enter("nobody@example.org", "wrong wrong"));
    }
    expect(refusal).toMatchObject({ code: "sessions.locked", status: 429 });
    expect(refusal.retry_after_seconds).toBeGreaterThan(0);
    expect(refusal.next).toMatch(/^Try again in \d+ (s|min)/);
  });
});
