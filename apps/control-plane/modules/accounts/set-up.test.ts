import { afterAll, expect, test } from "vitest";
import { codeOf, openTestApp, PASSWORD } from "../../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());
const visitor = service.client();
const setUp = (token: string, email: string, password = PASSWORD) =>
  visitor.service.setUp({ body: { token, email, password } });

test("the first admin is made by the printed link alone, once, also by two who open it together", async () => {
  expect(await visitor.service.info()).toMatchObject({ setup_needed: true });
  const expired = (await service.app.accounts.createSetupToken()) ?? "";
  expect(expired).toMatch(/^sws_/);
  service.clock.advanceSeconds(2 * 86_400);
  expect(await codeOf(setUp(expired, "boss@example.org"))).toBe("service.setup_token_invalid");
  expect(await codeOf(setUp("sws_guess", "boss@example.org"))).toBe("service.setup_token_invalid");

  const token = (await service.app.accounts.createSetupToken()) ?? "";
  const other = (await service.app.accounts.createSetupToken()) ?? "";
  expect(await codeOf(setUp(token, "boss@example.org", "password123"))).toBe("accounts.weak_password");
  const codes = await Promise.all([
    codeOf(setUp(token, "one@example.org")),
    codeOf(setUp(token, "two@example.org")),
    codeOf(setUp(other, "three@example.org")),
  ]);
  expect(codes.filter((code) => code === "ok")).toHaveLength(1);
  expect(codes.filter((code) => code === "service.setup_done")).toHaveLength(2);

  const admins = await service.database.db
    .selectFrom("accounts")
    .selectAll()
    .where("role", "=", "admin")
    .execute();
  expect(admins).toMatchObject([{ role: "admin", state: "active" }]);
  expect(await service.database.db.selectFrom("one_time_tokens").selectAll().execute()).toEqual([]);
  expect(await codeOf(setUp(other, "late@example.org"))).toBe("service.setup_done");
  expect(await service.app.accounts.createSetupToken()).toBeUndefined();
  expect(await visitor.service.info()).toMatchObject({ setup_needed: false });
  const boss = await service.logIn((await service.app.accounts.get(admins[0]?.id ?? "")).email);
  expect(await codeOf(boss.client.service.readSettings())).toBe("ok");
});
