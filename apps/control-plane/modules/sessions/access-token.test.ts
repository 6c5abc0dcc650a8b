import { afterAll, describe, expect, test } from "vitest";
import { codeOf, openTestApp } from "../../testing.ts";

describe("over HTTP", async () => {
  const service = await openTestApp({ settings: { JWT_ALGORITHM: "EdDSA" } });
  afterAll(() => service.close());

  test("JWT_ALGORITHM=EdDSA signs with a key of the service that its processes share", async () => {
    const person = await service.person();
    expect(await codeOf(person.client.accounts.me())).toBe("ok");
    const rows = await service.database.db
      .selectFrom("service_keys")
      .select("name")
      .orderBy("name")
      .execute();
    expect(rows.map(({ name }) => name)).toEqual([
      "access-token",
      "audit-trail",
      "control-plane",
      "drills",
      "zero-log",
    ]);
  });

  test("a token of a log-in that never was is refused, however well it is signed", async () => {
    const [one, two] = [await service.person(), await service.person()];
    const parts = (token: string) => token.split(".");
    const mixed = [parts(one.token)[0], parts(two.token)[1], parts(one.token)[2]].join(".");
    expect(await codeOf(service.client(mixed).accounts.me())).toBe("request.not_logged_in");
  });

  test.each(["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "bearer-token", "Bearer a b c", "\u00ff"])(
    "the header %j is answered as no log-in",
    async (authorization) => {
      const answer = await service.send("/api/account", { headers: { authorization } });
      expect(answer).toMatchObject({ status: 401, json: { code: "request.not_logged_in" } });
    },
  );
});
