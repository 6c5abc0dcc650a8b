import { parseChallenge, solveChallenge } from "@securewave/contracts/challenge";
import { sentinelErrors } from "@securewave/contracts/sentinel";
import { createManualClock, InvariantError } from "@securewave/foundation";
import fc from "fast-check";
import fastify from "fastify";
import { describe, expect, test } from "vitest";
import { type ChallengesOptions, createChallengeStep, createChallenges, isTrapSprung } from "./index.ts";
import { createSpentIds } from "./spent-ids.ts";

const KEY = new Uint8Array(32).fill(7);
const BITS = 8;

function open(options: Partial<ChallengesOptions> = {}) {
  const clock = createManualClock(1_790_000_000_500);
  return { clock, challenges: createChallenges({ key: KEY, clock, difficultyBits: BITS, ...options }) };
}

const FAILED = sentinelErrors.challengeFailed.message;

/** A nonce that solves nothing. */
async function wrongSolutionOf(challenge: string): Promise<string> {
  const right = await solveChallenge(challenge);
  const nonce = Number(right.slice(right.lastIndexOf(".") + 1));
  // The solver tries one number after the other, so the one before the first solution is none.
  return nonce === 0 ? `${challenge}.000000` : `${challenge}.${nonce - 1}`;
}

describe("challenges", () => {
  test("a solution opens the door it was made for", async () => {
    const { challenges } = open();
    const solution = await solveChallenge(challenges.issue("login"));
    expect(challenges.check("login", solution)).toBeUndefined();
  });

  test("are never the same, and replicas with one key take each other's", async () => {
    const [here, there] = [open().challenges, open().challenges];
    expect(here.issue("login")).not.toBe(here.issue("login"));
    there.check("login", await solveChallenge(here.issue("login")));
  });

  test("a replayed solution is refused", async () => {
    const { challenges, clock } = open();
    const solution = await solveChallenge(challenges.issue("login"));
    challenges.check("login", solution);
    expect(() => challenges.check("login", solution)).toThrow(FAILED);
    clock.advanceSeconds(290);
    expect(() => challenges.check("login", solution)).toThrow(FAILED);
  });

  test("a second solution of a challenge that was used is refused", async () => {
    const { challenges } = open();
    const challenge = challenges.issue("login");
    const first = await solveChallenge(challenge);
    challenges.check("login", first);
    expect(() => challenges.check("login", first.replace(/[.](\d+)$/, ".0$1"))).toThrow(FAILED);
    let tried = 0;
    for (let nonce = 0; nonce < 4000; nonce++, tried++)
      expect(() => challenges.check("login", `${challenge}.${nonce}`)).toThrow(FAILED);
    expect(tried).toBe(4000);
  });

  test("a solution for another purpose is refused, and is not used up by that", async () => {
    const { challenges } = open();
    const solution = await solveChallenge(challenges.issue("register"));
    expect(() => challenges.check("login", solution)).toThrow(FAILED);
    expect(() => challenges.check("login", solution.replace("register", "login"))).toThrow(FAILED);
    challenges.check("register", solution);
  });

  test("an expired challenge is refused, however well it is solved", async () => {
    const { challenges, clock } = open();
    const solution = await solveChallenge(challenges.issue("login"));
    clock.advanceSeconds(301);
    expect(() => challenges.check("login", solution)).toThrow(FAILED);
  });

  test("a challenge lives for five minutes", async () => {
    const { challenges, clock } = open();
    const solution = await solveChallenge(challenges.issue("login"));
    clock.advanceSeconds(299);
    challenges.check("login", solution);
  });

  test("an end that was put off is refused", async () => {
    const { challenges, clock } = open();
    const challenge = challenges.issue("login");
    clock.advanceSeconds(301);
    const later = challenge.replace(/1790000\d+/, (end) => String(Number(end) + 600));
    expect(() => challenges.check("login", later)).toThrow(FAILED);
    const solution = await solveChallenge(later);
    expect(() => challenges.check("login", solution)).toThrow(FAILED);
  });

  test("a changed difficulty is refused", async () => {
    const { challenges } = open();
    const easier = challenges.issue("login").replace(`.${BITS}.`, ".1.");
    const solution = await solveChallenge(easier);
    expect(() => challenges.check("login", solution)).toThrow(FAILED);
  });

  test("a forged signature is refused", async () => {
    const { challenges } = open();
    const other = open({ key: new Uint8Array(32).fill(8) }).challenges;
    const solution = await solveChallenge(other.issue("login"));
    expect(() => challenges.check("login", solution)).toThrow(FAILED);
    const blank = challenges.issue("login").replace(/[^.]+$/, "A".repeat(43));
    const blankSolution = await solveChallenge(blank);
    expect(() => challenges.check("login", blankSolution)).toThrow(FAILED);
  });

  test("a wrong number is refused, and the challenge can still be solved", async () => {
    const { challenges } = open();
    const challenge = challenges.issue("login");
    const wrong = await wrongSolutionOf(challenge);
    expect(() => challenges.check("login", wrong)).toThrow(FAILED);
    challenges.check("login", await solveChallenge(challenge));
  });

  test("an unsolved challenge is refused, and so is any other text", () => {
    const { challenges } = open();
    expect(() => challenges.check("login", challenges.issue("login"))).toThrow(FAILED);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(() => challenges.check("login", text)).toThrow(FAILED);
        expect(() => challenges.check("login", `${challenges.issue("login")}.${text}x`)).toThrow(FAILED);
      }),
    );
    expect(() => challenges.check("login", ".".repeat(1_000_000))).toThrow(FAILED);
  });

  test.each([
    [0, BITS],
    [0.5, BITS + 2],
    [1, BITS + 4],
    [7, BITS + 4],
    [-1, BITS],
    [Number.NaN, BITS],
    [Number.POSITIVE_INFINITY, BITS + 4],
  ])("under a pressure of %d the work is of %d bits", (pressure, bits) => {
    const { challenges } = open({ pressure: () => pressure });
    expect(parseChallenge(challenges.issue("login"))?.difficultyBits).toBe(bits);
  });

  test("what could never be solved or signed is a bug", () => {
    for (const difficultyBits of [0, 1.5, 23, 60])
      expect(() => open({ difficultyBits })).toThrow(InvariantError);
    expect(() => open({ key: new Uint8Array(16) })).toThrow(InvariantError);
    for (const purpose of ["", "Login", "a.b", "a".repeat(33)])
      expect(() => open().challenges.issue(purpose)).toThrow(InvariantError);
  });
});

describe("single use across replicas", () => {
  test("a solution replayed at another replica is refused", async () => {
    const shared = new Map<string, number>();
    const spend = async (id: string, lifeSeconds: number) => !shared.has(id) && !!shared.set(id, lifeSeconds);
    const [here, there] = [open({ spend }).challenges, open({ spend }).challenges];
    const solution = await solveChallenge(here.issue("login"));
    await here.check("login", solution);
    await expect(there.check("login", solution)).rejects.toThrow(FAILED);
    expect([...shared.values()].every((life) => life > 0 && life <= 301)).toBe(true);
  });

  test("a solution replayed while the other replicas are asked is refused", async () => {
    const { challenges } = open({ spend: () => new Promise((resolve) => setTimeout(resolve, 20, true)) });
    const solution = await solveChallenge(challenges.issue("login"));
    const first = challenges.check("login", solution);
    expect(() => challenges.check("login", solution)).toThrow(FAILED);
    await first;
  });

  test("while the shared store is down, each replica still takes a solution once", async () => {
    const { challenges } = open({ spend: () => Promise.reject(new Error("the store is down")) });
    const solution = await solveChallenge(challenges.issue("login"));
    await challenges.check("login", solution);
    expect(() => challenges.check("login", solution)).toThrow(FAILED);
  });

  test("no solution that was refused is told to other replicas", async () => {
    const { challenges } = open({ spend: () => Promise.reject(new Error("must not be asked")) });
    const wrong = await wrongSolutionOf(challenges.issue("login"));
    expect(() => challenges.check("login", wrong)).toThrow(FAILED);
  });
});

describe("the memory of used ids", () => {
  test("an id is taken once until it ends", () => {
    const clock = createManualClock(1000_000);
    const spend = createSpentIds(clock, 10);
    expect([spend("a", 1010), spend("a", 1010), spend("b", 1010)]).toEqual([true, false, true]);
    clock.advanceSeconds(9);
    expect(spend("a", 1010)).toBe(false);
    clock.advanceSeconds(2);
    expect(spend("a", 1010)).toBe(false);
    expect(spend("c", 1010)).toBe(false);
  });

  test("at most so many are remembered: those that end first go, and whatever ends no later is refused", () => {
    const clock = createManualClock(1000_000);
    const spend = createSpentIds(clock, 2);
    expect([spend("a", 1010), spend("b", 1020), spend("c", 1030)]).toEqual([true, true, true]);
    expect([spend("a", 1010), spend("d", 1010), spend("e", 1009)]).toEqual([false, false, false]);
    expect([spend("b", 1020), spend("c", 1030)]).toEqual([false, false]);
    expect([spend("f", 1025), spend("b", 1020), spend("c", 1030)]).toEqual([true, false, false]);
    clock.advanceSeconds(100);
    expect([spend("g", 1300), spend("h", 1200)]).toEqual([true, true]);
  });

  test("a flood of solutions lets no id be used twice, and does not shut out who comes after it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ id: fc.nat(30), wait: fc.nat(3) }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 8 }),
        (acts, idsMax) => {
          const clock = createManualClock(1000_000);
          const spend = createSpentIds(clock, idsMax);
          const taken = new Set<string>();
          for (const { id, wait } of acts) {
            clock.advanceSeconds(wait);
            // An id has one end, as it is signed with it.
            const key = `${id}`;
            if (spend(key, 1000 + id * 5)) {
              expect(taken.has(key)).toBe(false);
              taken.add(key);
            }
          }
          expect(spend("fresh", 100_000)).toBe(true);
        },
      ),
    );
  });
});

describe("the step", () => {
  async function ask(headers: Record<string, string>, isNeeded = true) {
    const { challenges } = open();
    const step = createChallengeStep({ challenges, isNeeded: () => isNeeded, purposeOf: () => "login" });
    const app = fastify();
    app.addHook("onRequest", async (request, reply) => step(request, reply));
    app.post("/", () => "through");
    const solution = await solveChallenge(challenges.issue("login"));
    const filled = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace("SOLUTION", solution)]),
    );
    const answer = await app.inject({ method: "POST", url: "/", headers: filled });
    await app.close();
    return answer;
  }

  test("lets a solution through, in a header of any case", async () => {
    expect((await ask({ "x-challenge-solution": "SOLUTION" })).body).toBe("through");
    expect((await ask({ "X-Challenge-Solution": "SOLUTION" })).body).toBe("through");
  });

  test("asks for a challenge where there is none", async () => {
    expect((await ask({})).json()).toMatchObject({ code: "sentinel.challenge_required" });
  });

  test("refuses a wrong one", async () => {
    for (const text of ["", "x", "SOLUTION, SOLUTION", "SOLUTION0x"])
      expect((await ask({ "x-challenge-solution": text })).json()).toMatchObject({
        code: "sentinel.challenge_failed",
        statusCode: 403,
      });
  });

  test("asks for nothing where nothing is needed", async () => {
    expect((await ask({}, false)).body).toBe("through");
    expect((await ask({ "x-challenge-solution": "x" }, false)).body).toBe("through");
  });
});

describe("the honeypot", () => {
  test.each([
    [{ website: "https://spam.example" }, true],
    [{ website: " " }, true],
    [{ website: 0 }, true],
    [{ website: ["x"] }, true],
    [{ website: "" }, false],
    [{ website: null }, false],
    [{ website: undefined }, false],
    [{ email: "a@example.org" }, false],
    [Object.create({ website: "inherited" }), false],
    [null, false],
    [undefined, false],
    ["website", false],
    [[], false],
  ])("of the fields %j the answer is %j", (fields, isSprung) => {
    expect(isTrapSprung(fields)).toBe(isSprung);
  });

  test("the field may have another name", () => {
    expect(isTrapSprung({ fax: "1" }, "fax")).toBe(true);
    expect(isTrapSprung({ website: "1" }, "fax")).toBe(false);
  });
});
