import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import type { CREDENTIALS } from "@securewave/contracts";
import { renewalText } from "@securewave/contracts/node-protocol";
import { eventually } from "@securewave/testing/eventually";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { codeOf, connectNode, createFakeNode, type FakeNode, openTestApp, PASSWORD } from "../../testing.ts";

const service = await openTestApp({ jobs: true });
afterAll(() => service.close());
const proof = { password: PASSWORD };

let { client: admin } = await service.person("admin");
let id = "";
beforeEach(async () => {
  const boss = await service.person("admin"); // former ones were logged out
  admin = boss.client;
  const { items } = await admin.breaches.list();
  for (const { id: open, closed_at } of items)
    if (closed_at === null) await admin.breaches.close({ params: { id: open }, body: proof });
});

async function open(summary = "A laptop was stolen"): Promise<void> {
  ({ id } = await admin.breaches.start({ body: { summary, ...proof } }));
}
const close = () => admin.breaches.close({ params: { id }, body: proof });
const rotate = (what: (typeof CREDENTIALS)[number]) =>
  admin.breaches.rotate({ params: { id }, body: { what, ...proof } });

/** Ends credentials in a breach that is over then: what refuses is not that the service is closed. */
async function endInBreach(what: (typeof CREDENTIALS)[number]): Promise<void> {
  await open();
  await rotate(what);
  await close();
}

/** Does what an agent does that is asked for another credential. */
async function answerRenewal(node: FakeNode) {
  const asked = await eventually(() => {
    const frame = node.frames().find(({ type }) => type === "renew");
    if (frame?.type !== "renew") throw new Error("it was not asked");
    return frame;
  });
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const public_key = publicKey.export({ format: "jwk" }).x ?? "";
  const text = Buffer.from(renewalText(node.identity.id, asked.nonce, public_key));
  node.send({
    type: "credential",
    public_key,
    signature: sign(null, text, privateKey).toString("base64url"),
  });
  return { privateKey, public_key };
}

describe("a breach", () => {
  test("lets in nobody but staff until it is closed, whoever was logged in", async () => {
    const customer = await service.person();
    await open();
    expect(await codeOf(customer.client.accounts.me())).toBe("request.maintenance");
    expect(await codeOf(service.logIn(customer.email))).toBe("request.maintenance");
    expect((await service.person("support")).role).toBe("support");
    await close();
    expect((await customer.client.accounts.me()).id).toBe(customer.id);
  });

  test("keeps customers out whatever staff switch, and leaves what they switched", async () => {
    const customer = await service.person();
    const modes = async () => {
      const { mode, switched, breach } = await admin.statusDesk.maintenance();
      return [mode, switched, breach];
    };
    await admin.statusDesk.switchMode({ body: { mode: "read-only" } });
    await open();
    expect(await modes()).toEqual(["closed", "read-only", "closed"]);
    await close();
    expect(await modes()).toEqual(["read-only", "read-only", "off"]);
    await open();
    expect((await admin.statusDesk.switchMode({ body: { mode: "off" } })).mode).toBe("closed");
    expect(await codeOf(customer.client.accounts.me())).toBe("request.maintenance");
    await close();
    expect(await codeOf(customer.client.accounts.me())).toBe("ok");
  });

  test("and its end are known to another replica within a second", async () => {
    await using closing = new AsyncDisposableStack();
    const other = await openTestApp({
      clock: service.clock,
      dataDir: service.config.store.dir,
      database: { ...service.database, close: async () => {} },
    });
    closing.defer(other.close);
    const { token } = await service.person();
    const becomes = (status: number) =>
      eventually(async () => expect((await other.send("/api/vpn/devices", { token })).status).toBe(status), {
        timeoutMs: 1000,
      });
    await becomes(200); // it holds what it has read
    await open();
    await becomes(503);
    await close();
    await becomes(200);
  });

  test("of which there is one already changes nothing about it", async () => {
    await open();
    const before = await admin.statusDesk.maintenance();
    const twice = [1, 2].map(() => codeOf(open("Again")));
    expect(await Promise.all(twice)).toEqual(["breaches.already_open", "breaches.already_open"]);
    expect(await admin.statusDesk.maintenance()).toEqual(before);
  });

  test("is one at a time, by an admin who proves it once more, and all that is done stands in its timeline", async () => {
    await open();
    const wrong = { summary: "x", password: "not the password" };
    expect(await codeOf(admin.breaches.start({ body: wrong }))).toBe("accounts.wrong_password");
    await admin.breaches.note({ params: { id }, body: { text: "Found by\nthe night shift" } });
    await rotate("links");
    const shown = await admin.breaches.close({ params: { id }, body: { text: "Key was revoked", ...proof } });
    expect(shown.entries.map(({ kind, number }) => `${number} ${kind}`)).toEqual([
      "1 opened",
      "2 isolated",
      "3 noted",
      "4 rotated",
      "5 reopened",
      "6 closed",
    ]);
    expect(shown.closed_at).not.toBeNull();
    expect(shown.entries.map(({ at }) => at.slice(-5))).toEqual(Array(6).fill(".000Z"));
    expect(await codeOf(rotate("links"))).toBe("breaches.closed");
    expect(await codeOf(admin.breaches.note({ params: { id }, body: { text: "late" } }))).toBe(
      "breaches.closed",
    );
    await service.app.audit.sign();
    const { items } = await admin.audit.list({ query: { subject: id } });
    expect(items.map(({ body }) => body?.kind).reverse()).toEqual([
      "breach_opened",
      "breach_noted",
      "breach_credentials_ended",
      "breach_closed",
    ]);
  });

  test("lists all of them, the newest first, page by page", async () => {
    for (let count = 0; count < 3; count++) {
      service.clock.advanceSeconds(count === 1 ? 0 : 5); // two in one second
      await open(`Number ${count}`);
      await close();
    }
    const all = (await admin.breaches.list({ query: { limit: 100 } })).items;
    const paged: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await admin.breaches.list({ query: { limit: 1, ...(cursor ? { cursor } : {}) } });
      paged.push(...page.items.map((item) => item.id));
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    expect(paged).toEqual(all.map((item) => item.id));
    expect(new Set(paged).size).toBe(paged.length);
  });
});

describe("every former credential is refused", () => {
  test("log-ins, but the one from which it is asked; refresh tokens with them", async () => {
    const customer = await service.person();
    expect((await customer.client.accounts.me()).id).toBe(customer.id);
    await endInBreach("sessions");
    expect(await codeOf(customer.client.accounts.me())).toBe("request.not_logged_in");
    const refresh = service.client().sessions.refresh({ body: { refresh_token: customer.refreshToken } });
    expect(await codeOf(refresh)).toBe("sessions.refresh_invalid");
    expect((await admin.breaches.show({ params: { id } })).id).toBe(id);
    expect(await codeOf(service.logIn(customer.email))).toBe("ok");
  });

  test("access tokens of every former signing key, whoever's", async () => {
    const customer = await service.person();
    const boss = await service.person("admin");
    await open();
    await boss.client.breaches.rotate({ params: { id }, body: { what: "signing", ...proof } });
    expect(await codeOf(customer.client.accounts.me())).toBe("request.not_logged_in");
    expect(await codeOf(boss.client.accounts.me())).toBe("request.not_logged_in");
    // Its refresh token is good: who was not logged out gets a token of the new key.
    const { access_token } = await service
      .client()
      .sessions.refresh({ body: { refresh_token: boss.refreshToken } });
    const { signing } = await service.client(access_token).keys.list();
    expect(signing).toHaveLength(1);
    expect(signing[0]?.state).toBe("signing");
  });

  test("API keys, also such as were used a moment ago", async () => {
    const customer = await service.person();
    const body = { name: "Key", scopes: ["account:read" as const], ...proof };
    const { text } = await customer.client.apiKeys.create({ body });
    expect((await service.client(text).accounts.me()).id).toBe(customer.id);
    await endInBreach("api_keys");
    expect(await codeOf(service.client(text).accounts.me())).toBe("request.not_logged_in");
    expect((await customer.client.apiKeys.list()).items).toEqual([]);
  });

  test("links from mails", async () => {
    const customer = await service.person();
    await service.client().passwords.requestReset({ body: { email: customer.email } });
    const link = await eventually(async () => (await service.latestMail(customer.email)).links[0] ?? "", {
      timeoutMs: 20_000,
    });
    const token = new URLSearchParams(new URL(link).hash.slice(1)).get("token") ?? "";
    await endInBreach("links");
    const reset = service.client().passwords.reset({ body: { token, password: "another good one 9" } });
    expect(await codeOf(reset)).toMatch(/^passwords\.|^accounts\./);
  });

  test("and the timeline, which stays, does not tell whether somebody was logged in or had asked for a link", async () => {
    const told = async () => {
      await open();
      await rotate("links");
      const { entries } = await rotate("sessions");
      await close();
      return entries.filter(({ kind }) => kind === "rotated").map(({ detail }) => detail);
    };
    await endInBreach("sessions");
    const without = await told();
    const customer = await service.person();
    await service.client().passwords.requestReset({ body: { email: customer.email } });
    await eventually(async () => expect((await service.latestMail(customer.email)).links).toHaveLength(1), {
      timeoutMs: 20_000,
    });
    expect(await told()).toEqual(without);
  });

  test("the key that sealed what is secret: nothing is left under it", async () => {
    await service.person();
    await open();
    await rotate("encryption");
    await eventually(
      async () => expect((await admin.breaches.show({ params: { id } })).waiting.secrets).toBe(0),
      {
        timeoutMs: 30_000,
      },
    );
    const { encryption } = await admin.keys.list();
    expect(encryption.find(({ state }) => state === "sealing")?.number).toBeGreaterThan(1);
  });

  test("nodes' credentials, over the connections that go on; who is late joins anew", async () => {
    const [node, late] = [await connectNode(service), await connectNode(service)];
    await open();
    expect((await rotate("nodes")).waiting.nodes).toEqual(
      expect.arrayContaining([node.identity.name, late.identity.name]),
    );
    const { privateKey, public_key } = await answerRenewal(node);
    await eventually(() => expect(node.frames()).toContainEqual({ type: "renewed", public_key }));
    const present = node.socket();
    expect(present.readyState).toBe(present.OPEN);
    expect((await admin.breaches.show({ params: { id } })).waiting.nodes).toEqual([late.identity.name]);

    // The former credential is refused, the new one is not.
    await expect(createFakeNode(service, node.identity).connect()).rejects.toThrow("nodes.not_recognised");
    expect(present.readyState).toBe(present.OPEN);
    await createFakeNode(service, { ...node.identity, privateKey }).connect();
    expect(createPublicKey(privateKey).export({ format: "jwk" }).x).toBe(public_key);

    await rotate("late_nodes");
    expect(await late.ended()).toMatchObject({ code: 1008 });
    await expect(createFakeNode(service, late.identity).connect()).rejects.toThrow("nodes.not_recognised");
    expect((await admin.nodes.show({ params: { id: late.identity.id } })).problem).toMatch(/join it anew/);
    expect((await admin.breaches.show({ params: { id } })).waiting.nodes).toEqual([]);
  });

  test("a node cannot be given a credential that it does not hold, or that nobody asked for", async () => {
    const node = await connectNode(service);
    await open();
    const bad = { type: "credential" as const, public_key: "A".repeat(43), signature: "A".repeat(86) };
    node.send(bad);
    expect(await node.ended()).toMatchObject({ code: 1008, reason: "nodes.bad_frame" });
    await node.connect();
    await rotate("nodes");
    await eventually(() => expect(node.frames().map(({ type }) => type)).toContain("renew"));
    node.send(bad);
    expect(await node.ended()).toMatchObject({ code: 1008, reason: "nodes.bad_frame" });
    await node.connect(); // by the former one, which holds until there is another
  });
});

describe("those who are affected", () => {
  test("get one mail each: everybody with a confirmed address, or who has a device on a node", async () => {
    const [on, off] = [await service.person(), await service.person()];
    const node = await connectNode(service);
    await on.client.devices.create({ body: { name: "Phone", server_id: node.identity.id } });
    await open();
    const text = "Somebody read the list of devices.\n\nYou need not do anything.";
    const whose = { subject: "About your devices", text, node_id: node.identity.id, ...proof };
    await admin.breaches.notify({ params: { id }, body: whose });
    const mailsOf = async (subject: string) =>
      (await service.mails()).filter((mail) => mail.subject === subject).flatMap(({ to }) => to);
    await eventually(async () => expect(await mailsOf("About your devices")).toEqual([on.email]), {
      timeoutMs: 30_000,
    });
    await admin.breaches.notify({ params: { id }, body: { subject: "To all", text, ...proof } });
    await eventually(async () => expect(await mailsOf("To all")).toContain(off.email), { timeoutMs: 60_000 });
    await eventually(
      async () => {
        const { letters } = (await admin.breaches.show({ params: { id } })).waiting;
        expect(await mailsOf("To all")).toHaveLength(letters ?? -1);
      },
      { timeoutMs: 60_000 },
    );
    const all = await mailsOf("To all");
    expect(new Set(all).size).toBe(all.length);

    await close();
    await open("Another one");
    expect((await admin.breaches.show({ params: { id } })).waiting.letters).toBeNull();
  });

  test("a letter to a node that is not there is none", async () => {
    await open();
    const body = { subject: "x", text: "y", node_id: `node_${"0".repeat(20)}`, ...proof };
    expect(await codeOf(admin.breaches.notify({ params: { id }, body }))).toBe("nodes.not_found");
  });
});
