import { createId, createManualClock, InvariantError } from "@securewave/foundation";
import { hashToken } from "@securewave/foundation/secret";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCookieSessions, readCookie, type StoredSession } from "./index.ts";

interface Holder {
  readonly sessionId: string;
  readonly accountId: string;
}

const clock = createManualClock(1_790_000_000_000);

function open({ isSecure = true } = {}) {
  const asked: string[] = [];
  const store = new Map<string, StoredSession<Holder>>();
  const sessions = createCookieSessions<Holder>({
    clock,
    cookieName: "securewave",
    isSecure,
    find: async (id) => {
      asked.push(id);
      return store.get(id);
    },
  });
  const add = (accountId = "acc_1") => {
    const sessionId = createId("session");
    const { text, hash } = sessions.issue(sessionId);
    store.set(sessionId, {
      holder: { sessionId, accountId },
      accepted: [{ hash, untilMs: clock.now() + 86_400_000 }],
    });
    return { sessionId, text, header: `${sessions.cookieName}=${text}` };
  };
  return { asked, store, sessions, add };
}

describe("cookies", () => {
  test("a session goes into a cookie for this host alone, out of reach of scripts and other sites", () => {
    const { sessions, add } = open();
    const { sessionId, text } = add();
    expect(text).toMatch(new RegExp(`^swc_${sessionId}_[A-Za-z0-9_-]{43}$`));
    expect(sessions.setCookie(text, 60)).toBe(
      `__Host-securewave=${text}; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=60`,
    );
    expect(sessions.clearCookie()).toBe(
      "__Host-securewave=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0",
    );
  });

  test("without https the cookie does without what browsers would refuse", () => {
    const { sessions, add } = open({ isSecure: false });
    expect(sessions.setCookie(add().text, 60)).toMatch(
      /^securewave=swc_\S+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=60$/,
    );
  });

  test("only texts of sessions go into a Set-Cookie header (header injection)", () => {
    const { sessions, add } = open();
    for (const text of ["", "x; Domain=example.org", "a\r\nSet-Cookie: b=c", `${add().text}\r\n`])
      expect(() => sessions.setCookie(text, 60)).toThrow(InvariantError);
    expect(() => sessions.issue("acc_1")).toThrow(InvariantError);
    for (const cookieName of ["", "a b", "a;b", "a=b", "a\r\n"]) {
      const make = () =>
        createCookieSessions({ clock, cookieName, isSecure: true, find: async () => undefined });
      expect(make).toThrow(InvariantError);
    }
  });

  test.each([
    ["", undefined],
    ["sw=1", "1"],
    ["a=0; sw=1; b=2", "1"],
    ["a=0;sw=1", "1"],
    [" \tsw=1", "1"],
    ["sw=", ""],
    ["sw=a=b", "a=b"],
    ['sw="1"', '"1"'],
    ["a=b=sw=1", undefined],
    ["a=sw=1", undefined],
    ["sw", undefined],
    ["SW=1", undefined],
    ["sww=1", undefined],
    ["xsw=1", undefined],
    ["sw =1", undefined],
    ["a;;; ;sw=1;", "1"],
    ["=sw=1", undefined],
    ["__proto__=1", undefined],
  ])("of the header %j the cookie sw is %j", (header, value) => {
    expect(readCookie(header, "sw")).toBe(value);
  });

  test("a cookie named like a property of every object is read as any other", () => {
    expect(readCookie("__proto__=1; constructor=2", "constructor")).toBe("2");
    expect(readCookie("a=1", "__proto__")).toBeUndefined();
    expect(readCookie("a=1", "toString")).toBeUndefined();
  });

  test("any header is read as splitting at semicolons would read it", () => {
    const pair = fc.string({ unit: fc.constantFrom("s", "w", "=", ";", " ", "\t", "1", "é"), maxLength: 40 });
    fc.assert(
      fc.property(pair, (header) => {
        const values = header
          .split(";")
          .map((part) => part.replace(/^[ \t]+/, ""))
          .filter((part) => part.startsWith("sw="));
        expect(readCookie(header, "sw")).toBe(values.length === 1 ? values[0]?.slice(3) : undefined);
      }),
      { numRuns: 1000 },
    );
  });

  test("a long header is read in linear time", () => {
    const startedAt = performance.now();
    for (const piece of ["sw", ";", "sw;", " ", "sw =", "; s=", "=", "a=b; "])
      readCookie(piece.repeat(1_000_000 / piece.length), "sw");
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

describe("sessions", () => {
  test("a cookie tells who is logged in, from memory at once", async () => {
    const { sessions, add, asked } = open();
    const { sessionId, header } = add();
    expect(await sessions.verify(`theme=dark; ${header}; a=b`)).toEqual({ sessionId, accountId: "acc_1" });
    expect(sessions.verify(header)).toEqual({ sessionId, accountId: "acc_1" });
    expect(asked).toEqual([sessionId]);
  });

  test("no cookie is no log-in", () => {
    const { sessions, asked } = open();
    for (const header of [undefined, "", "theme=dark"]) expect(sessions.verify(header)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test("session fixation: an id that somebody planted opens nothing", async () => {
    const { sessions, add } = open();
    const planted = createId("session");
    const secret = "A".repeat(43);
    expect(await sessions.verify(`__Host-securewave=swc_${planted}_${secret}`)).toBeUndefined();
    const victim = add();
    expect(await sessions.verify(`__Host-securewave=swc_${victim.sessionId}_${secret}`)).toBeUndefined();
  });

  test("cookie tossing: a second cookie of the name ends in no log-in, wherever it stands", () => {
    const { sessions, add } = open();
    const [victim, attacker] = [add(), add("acc_2")];
    expect(sessions.verify(`${attacker.header}; ${victim.header}`)).toBeUndefined();
    expect(sessions.verify(`${victim.header}; ${attacker.header}`)).toBeUndefined();
    expect(sessions.verify(`${victim.header}; ${victim.header}`)).toBeUndefined();
    expect(sessions.verify(`__Host-securewave=; ${victim.header}`)).toBeUndefined();
  });

  test("cookie tossing: under https a cookie without __Host- is not looked at", () => {
    const { sessions, add } = open();
    const { text } = add();
    for (const name of ["securewave", "__host-securewave", "__Secure-securewave", "x__Host-securewave"])
      expect(sessions.verify(`${name}=${text}`)).toBeUndefined();
  });

  test("a token of another kind is no cookie", () => {
    const { sessions, add, asked } = open();
    const { text, sessionId } = add();
    const body = text.slice("swc_".length);
    for (const odd of [`swr_${body}`, body, `"${text}"`, `${text}x`, text.toUpperCase(), `swc_${sessionId}_`])
      expect(sessions.verify(`__Host-securewave=${odd}`)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test("a session that ended opens nothing, from the moment it is told", async () => {
    const { sessions, add, store } = open();
    const { sessionId, header } = add();
    expect(await sessions.verify(header)).toBeDefined();
    store.delete(sessionId);
    sessions.forget(sessionId);
    expect(await sessions.verify(header)).toBeUndefined();
  });

  test("all sessions of an account end together, from the moment it is told", async () => {
    const { sessions, add, store } = open();
    const own = [add(), add()];
    const other = add("acc_2");
    for (const { header } of [...own, other]) expect(await sessions.verify(header)).toBeDefined();
    for (const { sessionId } of own) store.delete(sessionId);
    sessions.forget(({ accountId }) => accountId === "acc_1");
    for (const { header } of own) expect(await sessions.verify(header)).toBeUndefined();
    expect(sessions.verify(other.header)).toBeDefined();
  });

  test("the store gets a hash, from which no cookie can be made", () => {
    const { sessions } = open();
    const { text, hash } = sessions.issue(createId("session"));
    expect(hash).toEqual(hashToken(text));
    expect(hash).toHaveLength(32);
  });

  test("no header makes it fail", () => {
    const { sessions } = open();
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        expect(sessions.verify(text)).toBeUndefined();
        expect(sessions.verify(`__Host-securewave=${text}`)).toBeUndefined();
        expect(sessions.verify(`__Host-securewave=swc_${text}`)).toBeUndefined();
      }),
    );
  });
});
