import { eventually } from "@securewave/testing/eventually";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, connectNode, type FakeNode, openTestApp, PASSWORD, type Person } from "../../testing.ts";

const service = await openTestApp({ jobs: true });
afterAll(() => service.close());
const visitor = service.client();

/** Registers and gives back the token of the mail. */
async function register(email: string, password = PASSWORD): Promise<string> {
  await visitor.accounts.register({ body: { email, password } });
  return tokenFor(email);
}

async function tokenFor(email: string, besides = ""): Promise<string> {
  return eventually(async () => {
    const mail = await service.latestMail(email);
    const token = /#token=(\S+)/.exec(mail.links[0] ?? "")?.[1] ?? "";
    expect(token).toMatch(/^swv_/);
    expect(token).not.toBe(besides);
    return token;
  });
}

/** After so long one more letter is sent to an address. */
const LETTER_AGAIN_SECONDS = 66;

describe("registering", () => {
  test("who registers gets a mail, opens its link, and can log in", async () => {
    const body = { email: "Ann@Example.org", password: PASSWORD };
    expect(await visitor.accounts.register({ body })).toEqual({ status: "mail_sent" });
    expect(await codeOf(visitor.sessions.logIn({ body }))).toBe("sessions.email_unverified");
    const mail = await service.latestMail("ann@example.org");
    expect(mail.links[0]).toMatch(/^http:\/\/localhost:8000\/verify#token=swv_/);
    const token = mail.links[0]?.split("#token=")[1] ?? "";
    expect(await visitor.accounts.verifyEmail({ body: { token } })).toEqual({ email: "ann@example.org" });
    const { account } = await visitor.sessions.logIn({ body: { ...body, email: "ANN@example.ORG" } });
    expect(account).toMatchObject({ email: "ann@example.org", role: "customer", state: "active" });
  });

  test("a link works once, and not as another kind of link", async () => {
    const token = await register("once@example.org");
    await visitor.accounts.verifyEmail({ body: { token } });
    expect(await codeOf(visitor.accounts.verifyEmail({ body: { token } }))).toBe("accounts.link_invalid");
    expect(await codeOf(visitor.accounts.verifyEmail({ body: { token: "swv_guess" } }))).toBe(
      "accounts.link_invalid",
    );
    expect(
      await codeOf(visitor.service.setUp({ body: { token, email: "x@example.org", password: PASSWORD } })),
    ).toMatch(/^service\.setup_/);
  });

  test("a link of two days ago works no more, and a fresh one can be had", async () => {
    const email = "late@example.org";
    const old = await register(email);
    service.clock.advanceSeconds(2 * 86_400);
    expect(await codeOf(visitor.accounts.verifyEmail({ body: { token: old } }))).toBe(
      "accounts.link_invalid",
    );
    await visitor.accounts.requestVerification({ body: { email } });
    const fresh = await tokenFor(email, old);
    expect(await codeOf(visitor.accounts.verifyEmail({ body: { token: fresh } }))).toBe("ok");
  });

  test("the answer is the same whether or not an address has an account; its owner is told by mail", async () => {
    const known = await service.person();
    const answers = await Promise.all(
      [known.email, "nobody-has-this@example.org"].map((email) =>
        service.send("/api/auth/register", { body: { email, password: PASSWORD } }),
      ),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    const mail = await service.latestMail(known.email);
    expect(mail.subject).toContain("account already");
    expect(mail.links).toEqual(["http://localhost:8000/log-in"]);
    expect(await codeOf(service.logIn(known.email))).toBe("ok");
    const again = await Promise.all(
      [known.email, "nobody-at-all@example.org"].map((email) =>
        service.send("/api/auth/verification", { body: { email } }),
      ),
    );
    expect(new Set(again.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  });

  test("two who register one address at once make one account", async () => {
    const email = "twice@example.org";
    const calls = Array.from({ length: 4 }, () =>
      codeOf(visitor.accounts.register({ body: { email, password: PASSWORD } })),
    );
    expect(await Promise.all(calls)).toEqual(["ok", "ok", "ok", "ok"]);
    const rows = await service.database.db
      .selectFrom("accounts")
      .where("email_index", "=", service.app.dataKeys.emailIndex(email))
      .selectAll()
      .execute();
    expect(rows).toHaveLength(1);
  });

  test("whoever registers somebody else's address first does not choose the password of its owner", async () => {
    const email = "victim@example.org";
    const early = await register(email, "the attacker's own choice");
    service.clock.advanceSeconds(LETTER_AGAIN_SECONDS);
    await visitor.accounts.register({ body: { email, password: PASSWORD } });
    const token = await tokenFor(email, early);
    expect(await codeOf(visitor.accounts.verifyEmail({ body: { token: early } }))).toBe(
      "accounts.link_invalid",
    );
    await visitor.accounts.verifyEmail({ body: { token } });
    expect(await codeOf(service.logIn(email, "the attacker's own choice"))).toBe(
      "sessions.wrong_credentials",
    );
    expect(await codeOf(service.logIn(email))).toBe("ok");
  });

  test("a link that is asked for once more ends none before; used, all end", async () => {
    const email = "impatient@example.org";
    const tokens = [await register(email)];
    for (let more = 0; more < 2; more++) {
      service.clock.advanceSeconds(LETTER_AGAIN_SECONDS);
      await visitor.accounts.requestVerification({ body: { email } });
      tokens.push(await tokenFor(email, tokens.at(-1)));
    }
    const verify = (token = "") => codeOf(visitor.accounts.verifyEmail({ body: { token } }));
    const codes = await Promise.all(tokens.map(verify));
    expect(codes.toSorted()).toEqual(["accounts.link_invalid", "accounts.link_invalid", "ok"]);
  });

  test("asked for again and again, letters to confirm an address come three an hour, and every answer is the same", async () => {
    const email = "flooded@example.org";
    const answers: string[] = [];
    const ask = async (path: string, rest = {}) => {
      const { status, text } = await service.send(path, { body: { email, ...rest } });
      answers.push(`${status} ${text}`);
    };
    await ask("/api/auth/register", { password: PASSWORD });
    await tokenFor(email);
    for (let minute = 0; minute < 6; minute++) {
      await ask("/api/auth/verification");
      service.clock.advanceSeconds(LETTER_AGAIN_SECONDS);
    }
    await ask("/api/auth/register", { password: PASSWORD });
    expect(new Set(answers).size).toBe(1);
    await register("after-the-flood@example.org"); // the jobs are done in order
    const mails = (await service.mails()).filter(({ to }) => to.includes(email));
    expect(mails).toHaveLength(3);
  });

  test("a registration that is too much for a letter changes neither the password nor the links of who waits", async () => {
    const email = "waiting@example.org";
    const token = await register(email);
    await visitor.accounts.register({ body: { email, password: "the attacker's own choice" } });
    await visitor.accounts.verifyEmail({ body: { token } });
    expect(await codeOf(service.logIn(email))).toBe("ok");
  });

  test.each([
    ["aaaaaaaaaaaa", "of few characters"],
    ["1234567890", "that is a run"],
    ["qwertyuiop1", "that everybody has"],
    ["Password123", "that everybody has, with capitals"],
    ["weak-one-19", "made of the mail address"],
  ])("the password %s, %s, is refused", async (password) => {
    const body = { email: "weak-one@example.org", password };
    expect(await codeOf(visitor.accounts.register({ body }))).toBe("accounts.weak_password");
    const admin = await service.admin();
    expect(await codeOf(admin.client.accounts.create({ body }))).toBe("accounts.weak_password");
  });

  test("a password shorter than ten characters is no password", async () => {
    const answer = await service.send("/api/auth/register", {
      body: { email: "s@example.org", password: "short-9!x" },
    });
    expect(answer).toMatchObject({
      status: 400,
      json: { code: "request.invalid", issues: [{ at: "/password" }] },
    });
  });

  test("where registration is closed nobody registers, and admins still make accounts", async () => {
    const admin = await service.admin();
    await admin.client.service.changeSettings({ body: { registration: "closed" } });
    const body = { email: "outsider@example.org", password: PASSWORD };
    expect(await codeOf(visitor.accounts.register({ body }))).toBe("accounts.registration_closed");
    expect((await visitor.service.info()).registration).toBe("closed");
    const made = await admin.client.accounts.create({ body: { ...body, role: "support" } });
    expect(made).toMatchObject({ email: body.email, role: "support", state: "active" });
    expect(
      await codeOf(admin.client.accounts.create({ body: { ...body, email: "OUTSIDER@example.org" } })),
    ).toBe("accounts.email_in_use");
    expect(await codeOf(service.logIn(body.email))).toBe("ok");
    await admin.client.service.changeSettings({ body: { registration: "open" } });
  });
});

describe("suspending", () => {
  let node: FakeNode;
  let customer: Person;
  const { publicKey } = generateKeyPair();
  beforeAll(async () => {
    node = await connectNode(service);
    customer = await service.person();
    await customer.client.devices.create({ body: { name: "Phone", public_key: publicKey } });
    await node.holds(publicKey);
  });

  test("a suspended account's log-ins end and its devices leave their nodes at once; reactivated they are back", async () => {
    const admin = await service.admin();
    await customer.client.accounts.me();
    const params = { id: customer.id };
    await admin.client.accounts.change({ params, body: { state: "suspended" } });
    expect(await codeOf(customer.client.accounts.me())).toBe("request.not_logged_in");
    expect(
      await codeOf(visitor.sessions.refresh({ body: { refresh_token: customer.refreshToken } })),
    ).toMatch(/^sessions\./);
    expect(await codeOf(service.logIn(customer.email))).toBe("sessions.account_suspended");
    expect(await codeOf(service.logIn(customer.email, "not the password"))).toBe(
      "sessions.wrong_credentials",
    );
    await node.lacks(publicKey);

    await admin.client.accounts.change({ params, body: { state: "active" } });
    await node.holds(publicKey);
    expect(await codeOf(customer.client.accounts.me())).toBe("request.not_logged_in");
    const back = await service.logIn(customer.email);
    const { items } = await back.client.devices.list();
    expect(items).toMatchObject([{ name: "Phone", state: "active", public_key: publicKey }]);
  });

  test("suspending twice, or changing only the role, moves no device", async () => {
    const admin = await service.admin();
    const params = { id: customer.id };
    await admin.client.accounts.change({ params, body: { state: "suspended" } });
    await node.lacks(publicKey);
    const before = node.revision();
    await admin.client.accounts.change({ params, body: { state: "suspended" } });
    await admin.client.accounts.change({ params, body: { role: "support" } });
    await admin.client.accounts.change({ params, body: { role: "customer", state: "active" } });
    await node.holds(publicKey);
    expect(node.revision()).toBe((before ?? 0) + 1);
  });

  test("a role that is taken away is gone with the next request", async () => {
    const admin = await service.admin();
    const second = await service.person("admin");
    await second.client.service.readSettings();
    await admin.client.accounts.change({ params: { id: second.id }, body: { role: "customer" } });
    expect(await codeOf(second.client.service.readSettings())).toBe("request.not_allowed");
  });
});

describe("admins", () => {
  test("the last active admin stays one, also when the last two demote each other at once", async () => {
    const [one, two] = [await service.admin(), await service.person("admin")];
    const demote = (by: Person, id: string) =>
      codeOf(by.client.accounts.change({ params: { id }, body: { role: "customer" } }));
    const codes = await Promise.all([demote(one, two.id), demote(two, one.id)]);
    expect(codes).toContain("ok");
    const left = await service.database.db
      .selectFrom("accounts")
      .select("id")
      .where("role", "=", "admin")
      .where("state", "=", "active")
      .execute();
    expect(left).toHaveLength(1);
    const [last] = left[0]?.id === one.id ? [one] : [two];
    const change = (body: { role?: "customer"; state?: "suspended" }) =>
      codeOf(last.client.accounts.change({ params: { id: last.id }, body }));
    expect(await change({ role: "customer" })).toBe("accounts.last_admin");
    expect(await change({ state: "suspended" })).toBe("accounts.last_admin");
  });
});
