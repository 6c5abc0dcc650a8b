import { afterAll, expect, test } from "vitest";
import { openTestVault } from "./testing-server.ts";

const role = { roleId: "role", secretId: "secret", ttlSeconds: 1200, paths: ["secret/", "database/"] };
const app = { creation: [], ttlSeconds: 3600, maxTtlSeconds: 7200, execute: async () => undefined };
const server = await openTestVault({ appRoles: [role], databaseRoles: { "my-role": app } });
afterAll(() => server.close());

async function ask(method: string, path: string, body?: object, token?: string) {
  const response = await fetch(`${server.address}/v1/${path}`, {
    method,
    headers: token === undefined ? {} : { "x-vault-token": token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** Names and kinds of an answer's parts, without its values. */
function shapeOf(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  if (Array.isArray(value)) return value.map(shapeOf);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shapeOf(part)]));
}

/** Parts that every answer has, whatever the sample of the documentation leaves out. */
const COMMON = {
  request_id: "075a19cd-4e56-a3ca-d956-7609819831ec",
  lease_id: "",
  lease_duration: 0,
  renewable: false,
  wrap_info: null,
  warnings: null,
  data: null,
  auth: null,
  mount_type: "",
};
const logIn = async () =>
  (await ask("POST", "auth/approle/login", { role_id: "role", secret_id: "secret" })).body.auth.client_token;

// The samples are those of Vault's API documentation, https://developer.hashicorp.com/vault/api-docs.
test("auth/approle/login answers as documented", async () => {
  const answer = await ask("POST", "auth/approle/login", { role_id: "role", secret_id: "secret" });
  const sample = {
    auth: {
      renewable: true,
      lease_duration: 1200,
      token_policies: ["default"],
      accessor: "fd6c9a00-d2dc-3b11-0be5-af7ae0e1d374",
      client_token: "5b1a0318-679c-9c45-e5c6-d1b9a9035d49",
    },
  };
  expect(answer.status).toBe(200);
  expect(shapeOf(answer.body)).toMatchObject(shapeOf({ ...COMMON, ...sample }) as object);
  expect(answer.body.auth.lease_duration).toBe(1200);
  expect(await ask("POST", "auth/approle/login", { role_id: "role", secret_id: "no" })).toEqual({
    status: 400,
    body: { errors: ["invalid role or secret ID"] },
  });
});

test("auth/token/lookup-self, renew-self and revoke-self answer as documented", async () => {
  const token = await logIn();
  const looked = await ask("GET", "auth/token/lookup-self", undefined, token);
  const lookup = {
    accessor: "8609694a-cdbc-db9b-d345-e782dbb562ed",
    creation_time: 1523979354,
    creation_ttl: 2764800,
    display_name: "ldap2-tesla",
    entity_id: "7d2e3179-f69b-450c-7179-ac8ee8bd8ca9",
    expire_time: "2018-05-19T11:35:54.466476215-04:00",
    explicit_max_ttl: 0,
    id: "cf64a70f-3a12-3f6c-791d-6cef6d390eed",
    issue_time: "2018-04-17T11:35:54.466476078-04:00",
    num_uses: 0,
    orphan: true,
    path: "auth/ldap2/login/tesla",
    policies: ["default"],
    renewable: true,
    ttl: 2764790,
  };
  expect(shapeOf(looked.body)).toMatchObject(shapeOf({ ...COMMON, data: lookup }) as object);
  const renewed = await ask("POST", "auth/token/renew-self", { increment: 600 }, token);
  const renewal = {
    client_token: "ABCD",
    policies: ["web"],
    metadata: { role_name: "x" },
    lease_duration: 3600,
    renewable: true,
  };
  expect(shapeOf(renewed.body)).toMatchObject(shapeOf({ ...COMMON, auth: renewal }) as object);
  expect(renewed.body.auth.lease_duration).toBe(600);
  expect(await ask("POST", "auth/token/revoke-self", {}, token)).toEqual({ status: 204, body: undefined });
  const denied = await ask("GET", "auth/token/lookup-self", undefined, token);
  expect([denied.status, shapeOf(denied.body)]).toEqual([403, { errors: ["string"] }]);
});

test("secret/data/… answers as documented, and a deleted version with its metadata and 404", async () => {
  const token = await logIn();
  const path = "secret/data/my-secret";
  expect(await ask("GET", path, undefined, token)).toEqual({ status: 404, body: { errors: [] } });
  server.kv.put(path, { foo: "bar" }, { owner: "jdoe", mission_critical: "false" });
  const sample = {
    data: {
      data: { foo: "bar" },
      metadata: {
        created_time: "2018-03-22T02:24:06.945319214Z",
        custom_metadata: { owner: "jdoe", mission_critical: "false" },
        deletion_time: "",
        destroyed: false,
        version: 2,
      },
    },
  };
  const found = await ask("GET", path, undefined, token);
  expect(found.status).toBe(200);
  expect(shapeOf(found.body)).toEqual(shapeOf({ ...COMMON, ...sample }));
  server.kv.remove(path);
  const deleted = await ask("GET", path, undefined, token);
  expect([deleted.status, deleted.body.data.data]).toEqual([404, null]);
  expect(deleted.body.data.metadata.deletion_time).toMatch(/^20/);
});

test("database/creds/… and sys/leases/… answer as documented", async () => {
  const token = await logIn();
  const made = await ask("GET", "database/creds/my-role", undefined, token);
  const creds = { username: "v-token-myrolena-jNFRlKsZZMxJEx60o66i-1614294836", password: "132ae3ef-5a64" };
  const lease = { lease_id: "database/creds/my-role/27e1b9a1", lease_duration: 3600, renewable: true };
  expect(made.status).toBe(200);
  expect(shapeOf(made.body)).toEqual(shapeOf({ ...COMMON, ...lease, data: creds }));
  expect(made.body.lease_id).toMatch(/^database\/creds\/my-role\/\w{24}$/);
  const { lease_id } = made.body;
  const renewed = await ask("POST", "sys/leases/renew", { lease_id, increment: 1800 }, token);
  expect(shapeOf(renewed.body)).toEqual(shapeOf({ ...COMMON, ...lease }));
  expect(renewed.body.lease_duration).toBe(1800);
  const longest = await ask("POST", "sys/leases/renew", { lease_id, increment: 999_999 }, token);
  expect(longest.body.lease_duration).toBeLessThanOrEqual(7200);
  expect((await ask("POST", "sys/leases/revoke", { lease_id, sync: true }, token)).status).toBe(204);
  const gone = await ask("POST", "sys/leases/renew", { lease_id }, token);
  expect(gone).toEqual({ status: 400, body: { errors: ["lease not found"] } });
});

test("sealed, it answers everything with 503", async () => {
  server.seal(true);
  expect(await ask("GET", "secret/data/x")).toEqual({ status: 503, body: { errors: ["Vault is sealed"] } });
  server.seal(false);
});
