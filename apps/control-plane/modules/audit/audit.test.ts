import { isIncluded, openCheckpoint, parseVerifier, verifyTrail } from "@securewave/audit-trail";
import { AUDIT_KINDS, type AuditEntry } from "@securewave/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, openTestApp, PASSWORD, type Person } from "../../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());
let admin: Person;
beforeAll(async () => {
  admin = await service.admin();
});

async function entries(query: { kind?: (typeof AUDIT_KINDS)[number]; subject?: string } = {}) {
  await service.app.audit.sign();
  const found: AuditEntry[] = [];
  let cursor: string | undefined;
  do {
    const page = await admin.client.audit.list({
      query: { limit: 100, ...query, ...(cursor ? { cursor } : {}) },
    });
    found.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

async function exported(query = ""): Promise<string[]> {
  const { text } = await service.send(`/api/admin/audit/export${query}`, { token: admin.token });
  return text.trimEnd().split("\n");
}

async function verifier() {
  const parsed = parseVerifier((await admin.client.audit.checkpoint()).verifier_key);
  if (!parsed) throw new Error("the verifier key is one");
  return parsed;
}

describe("the trail", () => {
  test("holds what people do, each by its id, and no name, mail address or moment of a customer", async () => {
    const person = await service.person();
    await service.send("/api/auth/login", { body: { email: person.email, password: "not the password" } });
    await person.client.sessions.logOutEverywhere();
    const found = await entries({ subject: person.id });
    expect(found.map(({ body }) => body?.kind).sort()).toEqual([
      "login_refused",
      "login_succeeded",
      "sessions_ended",
    ]);
    const text = JSON.stringify(found);
    expect(text).not.toContain(person.email);
    for (const { body } of found) expect(body?.time).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  test("holds what staff do to the second", async () => {
    await admin.client.service.changeSettings({ body: { service_name: "Wave" } });
    const [newest] = await entries({ kind: "settings_changed" });
    expect(newest?.body).toMatchObject({ actor: admin.id, details: { names: ["service_name"] } });
    expect(newest?.body?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(JSON.stringify(newest)).not.toContain("Wave");
  });

  test("counts refused log-ins of one sort, so that an attack writes a line and not thousands", async () => {
    const person = await service.person();
    for (let attempt = 0; attempt < 4; attempt++)
      await service.send("/api/auth/login", { body: { email: person.email, password: `wrong ${attempt}` } });
    const found = await entries({ kind: "login_refused", subject: person.id });
    expect(found.map(({ body }) => body?.details)).toEqual([{ method: "password", count: 4 }]);
    expect(found[0]?.body?.origin).toMatch(/^[A-Za-z0-9_-]{16}$/);
  });

  test("is for admins alone", async () => {
    const [customer, support] = [await service.person(), await service.person("support")];
    for (const { client, token } of [customer, support]) {
      expect(await codeOf(client.audit.list())).toBe("request.not_allowed");
      expect(await codeOf(client.audit.checkpoint())).toBe("request.not_allowed");
      expect(await codeOf(client.audit.proof({ query: { index: 0 } }))).toBe("request.not_allowed");
      expect((await service.send("/api/admin/audit/export", { token })).status).toBe(403);
    }
  });

  test("is gapless and whole, also when many act at once", async () => {
    const people = await Promise.all(Array.from({ length: 5 }, () => service.person()));
    await Promise.all(
      Array.from({ length: 50 }, (_, at) => service.logIn(people[at % 5]?.email ?? "", PASSWORD)),
    );
    const all = await entries();
    expect(all.map(({ index }) => index)).toEqual(all.map((_, at) => all.length - 1 - at));
    const report = await verifyTrail(await exported(), { verifier: await verifier() });
    expect(report).toMatchObject({ isWhole: true, entries: all.length });
  });

  test("is exported as JSON lines, whole or in part", async () => {
    const answer = await service.send("/api/admin/audit/export", { token: admin.token });
    expect(answer.headers.get("content-type")).toBe("application/jsonl");
    expect(answer.headers.get("content-disposition")).toContain("attachment");
    const part = await verifyTrail(await exported("?from=3&to=5"), { verifier: await verifier() });
    expect(part).toMatchObject({ isWhole: true, from: 3 });
    expect(
      (await service.send("/api/admin/audit/export?from=999999", { token: admin.token })).json.code,
    ).toBe("audit.not_found");
  });

  test("proves of an entry that it stands in it", async () => {
    for (const index of [0, 1, 7]) {
      const { leaf, size, proof, note } = await admin.client.audit.proof({ query: { index } });
      const checkpoint = openCheckpoint(note, await verifier());
      expect(checkpoint?.size).toBe(size);
      const hashes = proof.map((hash) => Buffer.from(hash, "base64"));
      const root = checkpoint?.root ?? Buffer.alloc(0);
      expect(isIncluded(Buffer.from(leaf, "base64"), { index, size, root }, hashes)).toBe(true);
    }
    expect(await codeOf(admin.client.audit.proof({ query: { index: 1e9 } }))).toBe("audit.not_found");
  });

  test("is searched and filtered, page by page", async () => {
    const person = await service.person();
    await service.app.audit.sign();
    const found = await admin.client.audit.list({ query: { search: person.id.slice(4, 16), limit: 1 } });
    expect(found.items[0]?.body?.subject).toBe(person.id);
    expect(await codeOf(admin.client.audit.list({ query: { cursor: "bm9uZQ" } }))).toBe("request.invalid");
    expect(AUDIT_KINDS.length).toBeGreaterThan(30);
  });
});
