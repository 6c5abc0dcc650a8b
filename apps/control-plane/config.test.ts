import { listSettings } from "@securewave/foundation/settings";
import { openTestVault } from "@securewave/vault/testing-server";
import { afterEach, describe, expect, test } from "vitest";
import { loadConfig, settings } from "./config.ts";

test("docs/config.md is current (update with: npm test -- config.test -u)", async () => {
  const rows = listSettings(settings).map(({ variable, about, range, shownDefault, isSecret }) => {
    const names = isSecret ? `\`${variable}\` or \`${variable}_FILE\`` : `\`${variable}\``;
    return `| ${names} | ${about} | ${range.replaceAll("|", "or")} | ${shownDefault ? `\`${shownDefault}\`` : ""} |`;
  });
  const text = [
    "# Settings",
    "",
    "Read once at the start, from the environment and from `securewave.env` in the working folder (or the file that",
    "`SETTINGS_FILE` names), one `NAME=value` a line; the environment wins. All mistakes are told together, none with",
    "its value. A secret is given by its variable, by a file that `…_FILE` names, or by a field of its name in Vault:",
    "given twice, it is a mistake. Generated from `apps/control-plane/config.ts`.",
    "",
    "| variable | meaning | allowed | default |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
    "What admins change while the service runs (name, registration open or closed, devices per account) stands in the",
    "console under Settings, and in `securewave settings`.",
    "",
  ].join("\n");
  await expect(text).toMatchFileSnapshot("../../docs/config.md");
});

test("with nothing set, everything has its default", async () => {
  const { config, mistakes } = await loadConfig({ SETTINGS_FILE: "/dev/null" });
  expect(mistakes).toEqual([]);
  expect(config.http.port).toBe(8000);
  expect(config.metrics.port).toBe(9100);
  expect(config.sessions).toMatchObject({ accessHours: 24, refreshDays: 30, jwtAlgorithm: "HS256" });
});

test("a shared database needs the secrets that all processes share", async () => {
  const { mistakes } = await loadConfig({
    SETTINGS_FILE: "/dev/null",
    DATABASE_URL: "postgres://db/securewave",
  });
  expect(mistakes.map((mistake) => mistake.split(":")[0])).toEqual(["JWT_SECRET", "MASTER_KEY"]);
});

test("an address pool must be a network of its family with room in it", async () => {
  const mistakesOf = async (environment: NodeJS.ProcessEnv) =>
    (await loadConfig({ SETTINGS_FILE: "/dev/null", ...environment })).mistakes;
  expect(await mistakesOf({ IP_POOL_V4: "10.8.0.0/30" })).toHaveLength(1);
  expect(await mistakesOf({ IP_POOL_V4: "10.8.0.1/16" })).toHaveLength(1);
  expect(await mistakesOf({ IP_POOL_V4: "fd00::/64", IP_POOL_V6: "10.8.0.0/16" })).toHaveLength(2);
  expect(await mistakesOf({ IP_POOL_V4: "10.9.0.0/24", IP_POOL_V6: "fd00:1::/64" })).toEqual([]);
});

test("lists of Sentinel are taken item by item, in canonical form", async () => {
  const { config, mistakes } = await loadConfig({
    SETTINGS_FILE: "/dev/null",
    API_CORS_ORIGINS: "https://App.example.org, https://*.example.org:8443",
    API_TRUSTED_HOSTS: "vpn.example.org, *.example.org, 127.0.0.1, ::1",
    TRUSTED_PROXIES: "10.0.0.0/8,192.0.2.7, 2001:DB8::/32",
    REPUTATION_BLOCK_LISTS: "/etc/securewave/block.txt,https://lists.example.org/block.txt",
  });
  expect(mistakes).toEqual([]);
  expect(config.http).toMatchObject({
    corsOrigins: ["https://app.example.org", "https://*.example.org:8443"],
    trustedHosts: ["vpn.example.org", "*.example.org", "127.0.0.1", "::1"],
    trustedProxies: ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"],
  });
  expect(config.reputation.blockLists).toEqual([
    "/etc/securewave/block.txt",
    "https://lists.example.org/block.txt",
  ]);
  expect(config.limits).toEqual({
    globalPerMinute: 10_000,
    originPerMinute: 100,
    userPerMinute: 1000,
    sensitivePerMinute: 20,
    failedLogInsMax: 10,
    attackPerMinute: 60,
    blockThreshold: 50,
  });
});

test.each([
  ["API_CORS_ORIGINS", "*"],
  ["API_CORS_ORIGINS", "https://app.example.org/"],
  ["API_CORS_ORIGINS", "null"],
  ["API_TRUSTED_HOSTS", "exa*mple.org"],
  ["API_TRUSTED_HOSTS", "vpn.example.org:8000"],
  ["TRUSTED_PROXIES", "all"],
  ["TRUSTED_PROXIES", "10.0.0.0/33"],
  ["REPUTATION_BLOCK_LISTS", "http://lists.example.org/plain.txt"],
  ["REPUTATION_ALLOW_LISTS", "file:///etc/passwd"],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:password@collector:4318"],
  ["OTEL_TRACES_SAMPLER_ARG", "1.5"],
  ["REDIS_URL", "http://cache:6379"],
  ["VAULT_ADDR", "http://vault.example.org:8200"],
  ["VAULT_KV_PATH", "secret/data/../sys"],
  ["MASTER_KEY_PREVIOUS", "short"],
])("%s does not take %s, and does not repeat it", async (variable, value) => {
  const { mistakes } = await loadConfig({ SETTINGS_FILE: "/dev/null", [variable]: value });
  expect(mistakes).toHaveLength(1);
  expect(mistakes[0]).toMatch(new RegExp(`^${variable}: must be`));
  if (value.length > 4) expect(mistakes[0]).not.toContain(value);
});

describe("Vault", () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const MASTER_KEY = Buffer.alloc(32, 1).toString("base64");
  const FIELDS = {
    JWT_SECRET: "a secret of more than thirty-two characters",
    MASTER_KEY,
    SMTP_URL: "smtps://someone:canary@mail.example.org",
    REDIS_URL: "redis://:canary@cache.example.org:6379",
    DATABASE_URL: "postgres://db.example.org/securewave",
  };

  async function serve(fields: Readonly<Record<string, string>>) {
    const role = { roleId: "role", secretId: "secret", ttlSeconds: 60, paths: ["secret/data/securewave"] };
    const server = await openTestVault({ appRoles: [role] });
    closing.push(() => server.close());
    server.kv.put("secret/data/securewave", fields);
    const environment = {
      SETTINGS_FILE: "/dev/null",
      VAULT_ADDR: server.address,
      VAULT_ROLE_ID: "role",
      VAULT_SECRET_ID: "secret",
      VAULT_KV_PATH: "secret/data/securewave",
    };
    const load = async (more: NodeJS.ProcessEnv = {}) => {
      const loaded = await loadConfig({ ...environment, ...more });
      if (loaded.mistakes.length === 0) closing.push(() => loaded.vault?.close());
      return loaded;
    };
    return { server, load };
  }

  test("gives the secrets that neither the environment nor files do", async () => {
    const { load } = await serve(FIELDS);
    const { config, mistakes, vault } = await load();
    expect(mistakes).toEqual([]);
    expect(vault).toBeDefined();
    expect({
      JWT_SECRET: config.sessions.jwtSecret?.reveal(),
      MASTER_KEY: config.masterKey?.reveal(),
      SMTP_URL: config.mail.smtpUrl?.reveal(),
      REDIS_URL: config.redisUrl?.reveal(),
      DATABASE_URL: config.store.url?.reveal(),
    }).toEqual(FIELDS);
  });

  test("and a secret that is given twice is a mistake, as are odd values and unknown fields", async () => {
    const { load, server } = await serve({
      ...FIELDS,
      MASTER_KEY: "canary",
      JWT_SECRETS: "x",
      VAULT_TOKEN: "x",
    });
    const { mistakes } = await load({ SMTP_URL: "smtp://elsewhere" });
    expect(mistakes).toEqual([
      "JWT_SECRETS: no secret has this name (in VAULT_KV_PATH)",
      "VAULT_TOKEN: no secret has this name (in VAULT_KV_PATH)",
      "MASTER_KEY: must be 32 bytes in base64",
      "SMTP_URL: is set more than once: by SMTP_URL and by Vault",
    ]);
    expect(mistakes.join()).not.toContain("canary");
    expect(server.tokenCount()).toBe(0); // nothing stays logged in
  });

  test("that cannot be used is one mistake, not a list of what it would have given", async () => {
    const { load, server } = await serve(FIELDS);
    const { mistakes } = await load({ VAULT_SECRET_ID: "wrong", DATABASE_URL: "postgres://db/x" });
    expect(mistakes).toEqual([
      "VAULT_ADDR: Vault refuses the log-in: the token, role id or secret id is not valid.",
    ]);
    server.kv.remove("secret/data/securewave");
    expect((await load()).mistakes[0]).toMatch(/^VAULT_ADDR: Vault holds nothing there\. \(GET secret\/data/);
  });

  test("is left alone while no path and no role of it is named", async () => {
    const environment = {
      SETTINGS_FILE: "/dev/null",
      VAULT_ADDR: "https://127.0.0.1:9",
      VAULT_TOKEN: "hvs.x",
    };
    expect(await loadConfig(environment)).toMatchObject({ mistakes: [], vault: undefined });
  });

  test.each([
    ["VAULT_ADDR", { VAULT_KV_PATH: "secret/data/x" }],
    ["VAULT_TOKEN", { VAULT_ADDR: "https://vault", VAULT_KV_PATH: "secret/data/x" }],
    [
      "VAULT_TOKEN",
      {
        VAULT_ADDR: "https://vault",
        VAULT_KV_PATH: "a/data/b",
        VAULT_TOKEN: "t",
        VAULT_ROLE_ID: "r",
        VAULT_SECRET_ID: "s",
      },
    ],
    ["VAULT_ROLE_ID", { VAULT_ADDR: "https://vault", VAULT_KV_PATH: "a/data/b", VAULT_ROLE_ID: "r" }],
    [
      "DATABASE_URL",
      {
        VAULT_ADDR: "https://vault",
        VAULT_DATABASE_ROLE: "app",
        VAULT_TOKEN: "t",
        JWT_SECRET: FIELDS.JWT_SECRET,
        MASTER_KEY,
        DATABASE_URL: "postgres://me@db/x",
      },
    ],
    ["DATABASE_URL", { VAULT_DATABASE_ROLE: "app", VAULT_ADDR: "http://127.0.0.1:9", VAULT_ROLE_ID: "r" }],
  ])("%s is named when %o does not fit together", async (variable, environment) => {
    const { mistakes } = await loadConfig({ SETTINGS_FILE: "/dev/null", ...environment });
    expect(mistakes.map((mistake) => mistake.split(":")[0])).toContain(variable);
  });
});
