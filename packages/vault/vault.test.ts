import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { inspect } from "node:util";
import { RefusalError } from "@securewave/foundation";
import { createSecret } from "@securewave/foundation/secret";
import { eventually } from "@securewave/testing/eventually";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { createCertificate } from "./testing-certificate.ts";
import { openTestVault, type TestVault, type TestVaultOptions } from "./testing-server.ts";
import { openVault, type Vault, type VaultOptions } from "./vault.ts";

const SECRET_ID = "84896a0c-1347-aa90-a4f6-aca8b7558780";
const ROLE = { roleId: "59d6d1ca-47bb-4e7e-a40b-8be3bc5a0ba8", secretId: SECRET_ID, ttlSeconds: 60 };
const APP_ROLE = { ...ROLE, paths: ["secret/data/securewave", "database/creds/app"] };
const LOGIN = { kind: "app-role", roleId: ROLE.roleId, secretId: createSecret(SECRET_ID) } as const;
const dir = temporaryDir("vault");
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => dir.remove());

async function serve(options: TestVaultOptions = { appRoles: [APP_ROLE] }): Promise<TestVault> {
  const vault = await openTestVault(options);
  closing.push(() => vault.close());
  return vault;
}

async function connect(server: TestVault, options: Partial<VaultOptions> = {}): Promise<Vault> {
  const vault = await openVault({ address: server.address, login: LOGIN, timeoutMs: 1_000, ...options });
  closing.push(() => vault.close());
  return vault;
}

/** The refusal that work ends with. */
async function refusalOf(work: Promise<unknown>): Promise<RefusalError> {
  const error = await work.then(
    () => expect.unreachable("it should be refused"),
    (thrown) => thrown,
  );
  if (!(error instanceof RefusalError)) throw error;
  return error;
}

const codeOf = async (work: Promise<unknown>) => (await refusalOf(work)).code;

describe("the KV engine", () => {
  test("a secret comes with its version and metadata, and prints as nothing", async () => {
    const server = await serve();
    server.kv.put("secret/data/securewave", { JWT_SECRET: "first" });
    server.kv.put("secret/data/securewave", { JWT_SECRET: "second", answer: 42 }, { owner: "jdoe" });
    const vault = await connect(server);
    const latest = await vault.readKv("secret/data/securewave");
    expect(latest).toMatchObject({ version: 2, customMetadata: { owner: "jdoe" } });
    expect([...latest.fields].map(([name, secret]) => [name, secret.reveal()])).toEqual([
      ["JWT_SECRET", "second"],
    ]);
    expect(inspect(latest, { depth: 9 }) + JSON.stringify(latest)).not.toContain("second");
    const older = await vault.readKv("secret/data/securewave", 1);
    expect([older.version, older.fields.get("JWT_SECRET")?.reveal()]).toEqual([1, "first"]);
  });

  test("what is not there, was deleted or destroyed is not found", async () => {
    const server = await serve();
    const vault = await connect(server);
    const read = () => codeOf(vault.readKv("secret/data/securewave"));
    expect(await read()).toBe("vault.not_found");
    server.kv.put("secret/data/securewave", { a: "b" });
    server.kv.remove("secret/data/securewave");
    expect(await read()).toBe("vault.not_found");
    server.kv.put("secret/data/securewave", { a: "b" });
    server.kv.remove("secret/data/securewave", true);
    expect(await read()).toBe("vault.not_found");
  });

  test("a path that the policy does not name is denied, and costs no further log-in", async () => {
    const server = await serve();
    const vault = await connect(server);
    const refusal = await refusalOf(vault.readKv("secret/data/other"));
    expect(refusal).toMatchObject({ code: "vault.denied", internal: "GET secret/data/other: status 403" });
    expect(server.requests.filter((request) => request.endsWith("/login"))).toHaveLength(1);
  });

  test("no path leads out of where it begins", async () => {
    const vault = await connect(await serve());
    for (const path of ["secret/data/../../sys/seal", "secret//data", "", "."]) {
      expect(await codeOf(vault.readKv(path))).toBe("vault.refused");
    }
    expect(await codeOf(vault.readKv("secret/data/securewave?version=1"))).toBe("vault.not_found");
  });
});

describe("logging in", () => {
  test("by token, by the file of a token and by role; wrong ones are refused without a word of them", async () => {
    const server = await serve();
    server.kv.put("secret/data/securewave", { a: "b" });
    const id = server.createToken({ ttlSeconds: 0, paths: ["secret/"] });
    const path = join(dir.path, "token");
    writeFileSync(path, `${id}\n`);
    const logins = [{ kind: "token", token: createSecret(id) }, { kind: "token-file", path }, LOGIN] as const;
    for (const login of logins) {
      expect((await (await connect(server, { login })).readKv("secret/data/securewave")).version).toBe(1);
    }
    const wrong = [
      { kind: "token", token: createSecret("hvs.wrong") },
      { ...LOGIN, secretId: createSecret("wrong-secret-id") },
    ] as const;
    for (const login of wrong) {
      const refusal = await refusalOf(connect(server, { login }));
      expect(refusal.code).toBe("vault.login_refused");
      expect(inspect(refusal) + refusal.stack).not.toMatch(/wrong|59d6d1ca/);
    }
    expect(await codeOf(connect(server, { login: { kind: "token-file", path: "/no/such" } }))).toBe(
      "vault.file_unreadable",
    );
  });

  test("a token is renewed before it ends, for as long as it may be, and then got anew", async () => {
    const server = await serve({ appRoles: [{ ...APP_ROLE, ttlSeconds: 2, maxTtlSeconds: 4 }] });
    server.kv.put("secret/data/securewave", { a: "b" });
    const troubles: unknown[] = [];
    const vault = await connect(server, { onTrouble: (error) => troubles.push(error) });
    const untilMs = performance.now() + 7_000;
    while (performance.now() < untilMs) {
      expect((await vault.readKv("secret/data/securewave")).version).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const count = (path: string) => server.requests.filter((request) => request === `POST ${path}`).length;
    expect(count("auth/token/renew-self")).toBeGreaterThanOrEqual(2);
    expect(count("auth/approle/login")).toBeGreaterThanOrEqual(2);
    expect(troubles).toEqual([]);
  });

  test("a token that cannot be renewed is replaced before it ends", async () => {
    const server = await serve({ appRoles: [{ ...APP_ROLE, ttlSeconds: 1, isRenewable: false }] });
    await connect(server);
    await eventually(() => expect(server.requests.filter((each) => each.endsWith("/login"))).toHaveLength(2));
    expect(server.requests).not.toContain("POST auth/token/renew-self");
  });

  test("a token that was revoked is replaced by the next call", async () => {
    const server = await serve();
    server.kv.put("secret/data/securewave", { a: "b" });
    const path = join(dir.path, "agent");
    const first = server.createToken({ ttlSeconds: 60, paths: ["secret/"] });
    writeFileSync(path, first);
    const vault = await connect(server, { login: { kind: "token-file", path } });
    await server.revokeToken(first);
    writeFileSync(path, server.createToken({ ttlSeconds: 60, paths: ["secret/"] }));
    expect((await vault.readKv("secret/data/securewave")).version).toBe(1);
  });

  test("a token that the client got by itself is given back", async () => {
    const server = await serve();
    const vault = await openVault({ address: server.address, login: LOGIN });
    expect(server.tokenCount()).toBe(1);
    await vault.close();
    expect(server.tokenCount()).toBe(0);
  });
});

describe("a login of a database", () => {
  /** Records the statements that a real server would get. */
  function databaseRole(ttlSeconds: number, maxTtlSeconds: number) {
    const statements: string[] = [];
    const execute = async (statement: string) => void statements.push(statement);
    const creation = [`create role "{{name}}" login password '{{password}}' valid until '{{expiration}}'`];
    return { statements, databaseRoles: { app: { creation, ttlSeconds, maxTtlSeconds, execute } } };
  }
  const count = (statements: string[], beginning: string) =>
    statements.filter((statement) => statement.startsWith(beginning)).length;

  test("is made for the asking, renewed before it ends, and dropped on close", async () => {
    const { statements, databaseRoles } = databaseRole(1, 60);
    const server = await serve({ appRoles: [APP_ROLE], databaseRoles });
    const vault = await connect(server);
    const lease = await vault.leaseDatabase("app");
    const { user, password } = lease.current();
    expect(user).toMatch(/^v-approle-app-\w{20}-\d+$/);
    expect(statements[0]).toContain(`create role "${user}" login password '${password}' valid until '20`);
    await eventually(() => expect(count(statements, "alter role")).toBeGreaterThanOrEqual(2));
    expect(lease.current().user).toBe(user);
    expect(inspect(lease) + JSON.stringify(lease)).not.toContain(password);
    await vault.close();
    expect(statements.at(-1)).toBe(`drop role if exists "${user}"`);
  });

  test("is replaced near its longest life; the former one goes when nobody uses it any more", async () => {
    const { statements, databaseRoles } = databaseRole(9, 10);
    const server = await serve({ appRoles: [APP_ROLE], databaseRoles });
    const lease = await (await connect(server)).leaseDatabase("app");
    const first = lease.current().user;
    const drained = Promise.withResolvers<void>();
    const changed = Promise.withResolvers<void>();
    lease.onChange(() => {
      changed.resolve();
      return drained.promise;
    });
    await changed.promise;
    expect(lease.current().user).not.toBe(first);
    expect(statements).not.toContain(`drop role if exists "${first}"`);
    drained.resolve();
    await eventually(() => expect(statements).toContain(`drop role if exists "${first}"`), {
      timeoutMs: 2_000, // its own end comes later
    });
    expect(server.requests).toContain("POST sys/leases/revoke");
  });

  test("is replaced when the token is, since it ends with that", async () => {
    const { statements, databaseRoles } = databaseRole(60, 60);
    const appRoles = [{ ...APP_ROLE, ttlSeconds: 9, isRenewable: false }];
    const server = await serve({ appRoles, databaseRoles });
    const lease = await (await connect(server)).leaseDatabase("app");
    const first = lease.current().user;
    const changed = Promise.withResolvers<void>();
    lease.onChange(() => {
      changed.resolve();
      return new Promise(() => {}); // somebody goes on using the former one
    });
    await changed.promise;
    expect(lease.current().user).not.toBe(first);
    expect(statements).not.toContain(`drop role if exists "${first}"`);
    await eventually(() => expect(statements).toContain(`drop role if exists "${first}"`));
  });

  test("is replaced when Vault knows it no more, and asked for again while Vault is away", async () => {
    const { databaseRoles } = databaseRole(6, 60);
    const server = await serve({ appRoles: [APP_ROLE], databaseRoles });
    const troubles: unknown[] = [];
    const vault = await connect(server, { onTrouble: (error) => troubles.push(error) });
    const lease = await vault.leaseDatabase("app");
    const first = lease.current().user;
    server.failNext(1, 400, "lease not found");
    await eventually(() => expect(lease.current().user).not.toBe(first));
    server.failNext(5, 503, "Vault is sealed");
    await eventually(() => expect(troubles).toHaveLength(1));
    expect(troubles[0]).toMatchObject({ code: "vault.sealed" });
    const askedBefore = server.requests.length;
    const { user } = lease.current();
    await eventually(() => expect(server.requests.slice(askedBefore)).toContain("POST sys/leases/renew"));
    expect(lease.current().user).toBe(user);
  });

  test("is refused for a role that there is not, or that the policy does not name", async () => {
    const vault = await connect(await serve());
    expect(await codeOf(vault.leaseDatabase("app"))).toBe("vault.refused");
    expect(await codeOf(vault.leaseDatabase("other"))).toBe("vault.denied");
  });
});

describe("trouble on the way", () => {
  test.each([412, 429, 473, 500, 502, 503])("status %i is tried again after a pause", async (status) => {
    const server = await serve();
    server.kv.put("secret/data/securewave", { a: "b" });
    const vault = await connect(server);
    server.failNext(2, status, "later");
    expect((await vault.readKv("secret/data/securewave")).version).toBe(1);
  });

  test("how long to wait is taken from the answer", async () => {
    const server = await serve();
    server.kv.put("secret/data/securewave", { a: "b" });
    const vault = await connect(server);
    server.failNext(1, 429, "rate limit quota exceeded", { "retry-after": "1" });
    const startMs = performance.now();
    await vault.readKv("secret/data/securewave");
    expect(performance.now() - startMs).toBeGreaterThan(950);
  });

  test("a sealed Vault, one that is away and one that never answers are told apart", async () => {
    const server = await serve();
    const vault = await connect(server, { timeoutMs: 200 });
    server.seal(true);
    expect(await codeOf(vault.readKv("secret/data/securewave"))).toBe("vault.sealed");
    server.seal(false);
    server.silence(true);
    const silent = await refusalOf(vault.readKv("secret/data/securewave"));
    expect(silent).toMatchObject({ code: "vault.unreachable", internal: "timed out" });
    server.silence(false);
    const nowhere = await refusalOf(openVault({ address: "http://127.0.0.1:9", login: LOGIN }));
    expect(nowhere).toMatchObject({ code: "vault.unreachable", internal: "ECONNREFUSED" });
    expect(nowhere.message).not.toContain("127.0.0.1");
  });

  test("a request is repeated four times at most", async () => {
    const server = await serve();
    const vault = await connect(server);
    server.failNext(20, 500, "no");
    expect(await codeOf(vault.readKv("secret/data/securewave"))).toBe("vault.unavailable");
    expect(server.requests.filter((request) => request.startsWith("GET secret/"))).toHaveLength(4);
  });

  test("a redirection to another address is not followed: the token goes nowhere else", async () => {
    const server = await serve();
    const other = await serve();
    const vault = await connect(server);
    server.kv.put("secret/data/securewave", { a: "b" });
    server.failNext(1, 307, "", { location: `${other.address}/v1/secret/data/securewave` });
    expect(await codeOf(vault.readKv("secret/data/securewave"))).toBe("vault.redirected");
    expect(other.requests).toEqual([]);
    server.failNext(1, 307, "", { location: "/v1/secret/data/securewave" });
    expect((await vault.readKv("secret/data/securewave")).version).toBe(1);
    server.failNext(9, 307, "", { location: "/v1/secret/data/securewave" });
    expect(await codeOf(vault.readKv("secret/data/securewave"))).toBe("vault.redirected");
  });

  test("what is no Vault is told as that, however much it sends", async () => {
    const bodies = ["<html>", "[]", "null", "x".repeat(2_000_000)];
    const server = createServer((_, response) => response.writeHead(200).end(bodies.shift()));
    server.listen(0, "127.0.0.1");
    closing.push(() => server.close());
    await new Promise((listening) => server.once("listening", listening));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    while (bodies.length > 0) {
      expect(await codeOf(openVault({ address: `http://127.0.0.1:${port}`, login: LOGIN }))).toBe(
        "vault.unexpected",
      );
    }
  });

  test("no error holds what Vault wrote, the token or the secret id", async () => {
    const server = await serve();
    const vault = await connect(server);
    for (const status of [400, 403, 404, 405, 500]) {
      server.failNext(4, status, `canary of ${SECRET_ID}`);
      const refusal = await refusalOf(vault.readKv("secret/data/securewave"));
      const all = inspect(refusal, { depth: 9, showHidden: true }) + JSON.stringify(refusal) + refusal.stack;
      expect(all).not.toMatch(/canary|hvs\.|84896a0c/);
    }
  });
});

test("over https the server must be vouched for by the given certificates", async () => {
  const certificate = createCertificate();
  const server = await serve({ appRoles: [APP_ROLE], certificate });
  server.kv.put("secret/data/securewave", { a: "b" });
  const path = join(dir.path, "ca.pem");
  writeFileSync(path, certificate.certificate);
  const vault = await connect(server, { caCertificatesPath: path });
  expect((await vault.readKv("secret/data/securewave")).version).toBe(1);
  const stranger = await refusalOf(connect(server));
  expect(stranger).toMatchObject({ code: "vault.unreachable", internal: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  writeFileSync(path, createCertificate().certificate);
  expect(await codeOf(connect(server, { caCertificatesPath: path }))).toBe("vault.unreachable");
  expect(await codeOf(connect(server, { caCertificatesPath: "/no/such" }))).toBe("vault.file_unreadable");
});

test("in a namespace every request names it", async () => {
  const server = await serve({ appRoles: [APP_ROLE], namespace: "team/vpn" });
  server.kv.put("secret/data/securewave", { a: "b" });
  const vault = await connect(server, { namespace: "team/vpn/" });
  expect((await vault.readKv("secret/data/securewave")).version).toBe(1);
  expect(await codeOf(connect(server))).toBe("vault.login_refused");
});
