import { ApiError, type BrowserSession } from "@securewave/contracts";
import { expect, test, vi } from "vitest";
import { createSession } from "./session.ts";

const account = {
  id: "acc_00000000000000000001",
  email: "anna@example.org",
  role: "customer",
  state: "active",
  created_on: "2026-11-01",
} as const;

function sessionWith(csrfToken: string, id: string = account.id): BrowserSession {
  return { csrf_token: csrfToken, account: { ...account, id } };
}

test("calls that are refused at the same time ask once who is logged in", async () => {
  const ask = vi.fn(async () => sessionWith("fresh"));
  const session = createSession({ ask });
  session.adopt(sessionWith("old"));
  expect(await Promise.all([session.restore(), session.restore(), session.restore()])).toEqual([
    true,
    true,
    true,
  ]);
  expect(ask).toHaveBeenCalledTimes(1);
  expect(session.csrfToken()).toBe("fresh");
  await session.restore();
  expect(ask).toHaveBeenCalledTimes(2);
});

test("a log-in that ended elsewhere is forgotten, and can be told", async () => {
  const session = createSession({ ask: async () => null });
  session.adopt(sessionWith("old"));
  expect(await session.restore()).toBe(false);
  expect(session.state()).toEqual({ status: "visitor", wasEnded: true });
  expect(session.csrfToken()).toBeUndefined();
});

test("a visitor who never was logged in, and one who logged out, are told of no ended log-in", async () => {
  const session = createSession({ ask: async () => null });
  await session.restore();
  expect(session.state()).toEqual({ status: "visitor", wasEnded: false });
  session.adopt(sessionWith("held"));
  session.end("here");
  session.end("elsewhere");
  expect(session.state()).toEqual({ status: "visitor", wasEnded: false });
});

test("a request made as one account is not repeated as another", async () => {
  const session = createSession({ ask: async () => sessionWith("fresh", "acc_00000000000000000002") });
  session.adopt(sessionWith("old"));
  expect(await session.restore()).toBe(false);
  expect(session.state()).toMatchObject({ account: { id: "acc_00000000000000000002" } });
});

test("a service that cannot be reached ends no log-in", async () => {
  for (const status of [0, 429, 503]) {
    const ask = async () => {
      throw new ApiError(status, "request.failed", "not at the moment");
    };
    const session = createSession({ ask });
    session.adopt(sessionWith("held"));
    await expect(session.restore()).rejects.toThrow("not at the moment");
    expect(session.csrfToken()).toBe("held");
  }
});

test("an answer that comes after the log-out does not log in again", async () => {
  const pending = Promise.withResolvers<BrowserSession>();
  const session = createSession({ ask: () => pending.promise });
  session.adopt(sessionWith("old"));
  const restoring = session.restore();
  session.end("here");
  pending.resolve(sessionWith("late"));
  expect(await restoring).toBe(false);
  expect(session.csrfToken()).toBeUndefined();
});
