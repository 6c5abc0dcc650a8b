import { ApiError, type Session } from "@securewave/contracts";
import { expect, test, vi } from "vitest";
import { createSession } from "./session.ts";

const account = {
  id: "acc_00000000000000000001",
  email: "anna@example.org",
  role: "customer",
  state: "active",
  created_on: "2026-11-01",
} as const;

function sessionWith(token: string): Session {
  return { access_token: token, token_type: "Bearer", expires_in: 900, account };
}

const alone = <Value>(task: () => Promise<Value>) => task();

test("calls that find the token refused at the same time renew it once", async () => {
  const refresh = vi.fn(async () => sessionWith("fresh"));
  const session = createSession({ refresh, alone });
  expect(await Promise.all([session.renew(), session.renew(), session.renew()])).toEqual([true, true, true]);
  expect(refresh).toHaveBeenCalledTimes(1);
  expect(session.token()).toBe("fresh");
  await session.renew();
  expect(refresh).toHaveBeenCalledTimes(2);
});

test("a refused renewal ends the log-in and forgets the token", async () => {
  const refresh = async () => {
    throw new ApiError(401, "sessions.refresh_invalid", "ended");
  };
  const session = createSession({ refresh, alone });
  session.adopt(sessionWith("old"));
  expect(await session.renew()).toBe(false);
  expect(session.state()).toEqual({ status: "visitor" });
  expect(session.token()).toBeUndefined();
});

test("a service that cannot be reached ends no log-in", async () => {
  for (const status of [0, 429, 503]) {
    const refresh = async () => {
      throw new ApiError(status, "request.failed", "not now");
    };
    const session = createSession({ refresh, alone });
    session.adopt(sessionWith("held"));
    await expect(session.renew()).rejects.toThrow("not now");
    expect(session.token()).toBe("held");
  }
});

test("an answer that comes after the log-out does not log in again", async () => {
  const pending = Promise.withResolvers<Session>();
  const session = createSession({ refresh: () => pending.promise, alone });
  session.adopt(sessionWith("old"));
  const renewal = session.renew();
  session.end();
  pending.resolve(sessionWith("late"));
  expect(await renewal).toBe(false);
  expect(session.token()).toBeUndefined();
});
