import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "@securewave/contracts";
import { SOLUTION_HEADER, solveChallenge } from "@securewave/contracts/challenge";
import {
  eventually,
  openTestRedis,
  redisRequirements,
  type TemporaryDir,
  type TestRedis,
  temporaryDir,
} from "@securewave/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "./control-plane.ts";
import { logIn, PASSWORD, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";
import {
  createReplicaStarter,
  createSharedDatabase,
  type SharedDatabase,
  waitForHealth,
} from "./replicas.ts";
import {
  bearer,
  inParallel,
  newVisitor,
  startLoad,
  textIn,
  tryToLogIn,
  type Visitor,
  visitorFrom,
} from "./visitors.ts";

/** RATE_LIMIT_IP, as the service has it by itself. */
const ORIGIN_LIMIT = 100;
/** The most that two replicas let through together: packages/sentinel/README.md, rate-limit. */
const ORIGIN_LIMIT_OVERSHOT = 101;
/** More than the limit, but so few more that what is refused does not block the origin. */
const TOO_MANY = 140;
/** AUTO_BLOCK_FAILED_LOGINS, by itself. */
const FAILED_LOG_INS_MAX = 10;
/** CHALLENGE_FAILED_LOGINS by itself is 60. */
const ATTACK_TRIES = 72;
const WITHOUT_REDIS = "does not answer: each process limits for itself";
/** For what takes milliseconds on a machine that has time. */
const PATIENCE = { timeoutMs: 30_000 };
const ADMIN = "admin@example.org";

const needs = redisRequirements();

/** All on the limits that the service has by itself. */
describe.skipIf(!needs.ok)(needs.title("two replicas of one service"), { timeout: 180_000 }, () => {
  let dir: TemporaryDir;
  let database: SharedDatabase;
  let redis: TestRedis;
  let start: (name: string) => Promise<ControlPlane>;
  let first: ControlPlane;
  let second: ControlPlane;
  /** The same admin, at either replica. */
  let atFirst: Client;
  let atSecond: Client;

  beforeAll(async () => {
    dir = temporaryDir("replicas");
    database = await createSharedDatabase();
    redis = await openTestRedis();
    start = createReplicaStarter({ dir: dir.path, databaseUrl: database.url, redisUrl: redis.url });
    [first, second] = await Promise.all([start("first"), start("second")]);
    atFirst = (await setUpAdmin(first.url, first.setupLink)).client;
    atSecond = (await logIn(second.url, ADMIN)).client;
    await waitForHealth([first, second], "healthy");
  }, 240_000);

  afterAll(async () => {
    await Promise.all([first, second].map((replica) => replica?.process.stop()));
    await redis?.close();
    expect(await processesOf(dir.path)).toEqual([]);
    await database?.drop();
    dir.remove();
  });

  const both = (number: number) => (number % 2 === 0 ? first : second);

  async function addCustomer(email: string): Promise<string> {
    return (await atFirst.accounts.create({ body: { email, password: PASSWORD } })).id;
  }

  async function tokenOf(replica: ControlPlane, email: string): Promise<string> {
    const { status, body } = await tryToLogIn(replica, email);
    expect(status).toBe(200);
    return textIn(body, "access_token") ?? "";
  }

  async function isLetIn(replica: ControlPlane, headers: Readonly<Record<string, string>>): Promise<boolean> {
    return (await newVisitor().ask(replica, "/api/account", { headers })).status === 200;
  }

  async function countAllowed(
    visitor: Visitor,
    requests: number,
    replicaOf: (number: number) => ControlPlane,
  ) {
    const answers = await inParallel(requests, (number) => visitor.ask(replicaOf(number)));
    const refused = answers.filter(({ status }) => status !== 200);
    for (const { code } of refused) expect(code).toBe("sentinel.too_many_requests");
    return answers.length - refused.length;
  }

  /** A replica that loses sight of Redis for a moment counts for itself then: a busy machine may try again. */
  function expectOneLimitForAll(replicaOf: (number: number) => ControlPlane): Promise<void> {
    return eventually(async () => {
      const allowed = await countAllowed(newVisitor(), TOO_MANY, replicaOf);
      expect(allowed).toBeGreaterThanOrEqual(ORIGIN_LIMIT);
      expect(allowed).toBeLessThanOrEqual(ORIGIN_LIMIT_OVERSHOT);
    }, PATIENCE);
  }

  async function useUp(replica: ControlPlane, visitor: Visitor): Promise<void> {
    expect(await countAllowed(visitor, ORIGIN_LIMIT + 10, () => replica)).toBe(ORIGIN_LIMIT);
  }

  /** A visitor is refused long before they have asked this replica as often as they may. */
  async function expectUsedUp(replica: ControlPlane, visitor: Visitor): Promise<void> {
    for (let asked = 0; asked < ORIGIN_LIMIT / 2; asked++) {
      if ((await visitor.ask(replica)).code === "sentinel.too_many_requests") return;
      await pause(asked * 5);
    }
    expect.fail("this replica does not know what was used up at the other");
  }

  /** Waits until replicas shut a visitor out, or let them in. */
  async function become(
    replicas: readonly ControlPlane[],
    code: "sentinel.blocked" | undefined,
    visitor: Visitor,
  ) {
    for (const replica of replicas)
      await eventually(async () => expect((await visitor.ask(replica)).code).toBe(code), PATIENCE);
  }

  /** A block put at one replica holds at another, and ends there when it is lifted. */
  async function expectBlockToCross(from: Client, to: ControlPlane, network: string): Promise<void> {
    const visitor = visitorFrom(network);
    await become([to], undefined, visitor);
    const { id } = await from.blocks.add({ body: { network, minutes: 60 } });
    await become([to], "sentinel.blocked", visitor);
    await from.blocks.lift({ params: { id } });
    await become([to], undefined, visitor);
  }

  /** Goes on asking after being refused more often than an honest client. */
  async function becomeBlocked(visitor: Visitor): Promise<void> {
    await inParallel(ORIGIN_LIMIT + 60, (number) => visitor.ask(both(number)));
    await become([first, second], "sentinel.blocked", visitor);
  }

  /** Guesses from ever new addresses until the next guess has to wait for so many seconds. */
  async function failUntilLocked(replica: ControlPlane, email: string, seconds: number): Promise<void> {
    for (;;) {
      const { status, code, retryAfterSeconds } = await tryToLogIn(replica, email, { password: "wrong" });
      if (status === 401) continue;
      expect(code).toBe("sessions.locked");
      if (retryAfterSeconds >= seconds) return;
      await pause(retryAfterSeconds * 1000);
    }
  }

  /** Asks with the right password, which is no failure more. */
  async function isAskedForWork(replica: ControlPlane, email: string): Promise<boolean> {
    return (await tryToLogIn(replica, email)).code === "sentinel.challenge_required";
  }

  async function without(
    way: "killed" | "frozen",
    act: () => Promise<void>,
    afterwards: () => Promise<void> = async () => {},
  ): Promise<void> {
    if (way === "killed") await redis.kill();
    else redis.pause();
    try {
      await act();
    } finally {
      if (way === "killed") await redis.restart();
      else redis.resume();
    }
    await afterwards();
    expect(await waitForHealth([first, second], "healthy")).toEqual(["connected", "connected"]);
  }

  test("both are well, and either serves what was written at the other", async () => {
    expect(await waitForHealth([first, second], "healthy")).toEqual(["connected", "connected"]);
    await addCustomer("written@example.org");
    expect(await isLetIn(first, bearer(await tokenOf(second, "written@example.org")))).toBe(true);
  });

  test("the requests of an origin count at both together", async () => {
    await expectOneLimitForAll(both);
  });

  test("what an origin used up at one replica is used up at the other", async () => {
    const visitor = newVisitor();
    await useUp(first, visitor);
    await expectUsedUp(second, visitor);
  });

  test("the requests of an API key count at both together, wherever they come from", async () => {
    await eventually(async () => {
      const { text } = await atFirst.apiKeys.create({
        body: { name: "Counted", scopes: ["account:read"], requests_per_minute: 30, password: PASSWORD },
      });
      const answers = await inParallel(90, (number) =>
        newVisitor().ask(both(number), "/api/account", { headers: bearer(text) }),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(30);
    }, PATIENCE);
  });

  test("blocks by staff hold and end at the other replica, either way, time after time", async () => {
    // Each by its message: what replicas compare four times a minute would take longer than the test may.
    for (let round = 0; round < 6; round++) {
      await expectBlockToCross(atFirst, second, `203.0.113.${round}`);
      await expectBlockToCross(atSecond, first, `203.0.113.${round}`);
    }
  });

  test("an origin whose log-ins fail, some at one and some at the other, is blocked at both", async () => {
    const from = newVisitor();
    for (let number = 0; number <= FAILED_LOG_INS_MAX; number++) {
      const email = `nobody-${number}@example.org`;
      const { status } = await tryToLogIn(both(number), email, { password: "wrong", from });
      expect([401, 429]).toContain(status);
    }
    await become([first, second], "sentinel.blocked", from);
  });

  test("an origin that goes on after refusals is blocked at both", async () => {
    await becomeBlocked(newVisitor());
  });

  test("log-ins that fail at one replica lock the account at the other", async () => {
    let rounds = 0;
    await eventually(async () => {
      const email = `locked-${++rounds}@example.org`;
      await addCustomer(email);
      await failUntilLocked(first, email, 4);
      expect((await tryToLogIn(second, email)).code).toBe("sessions.locked");
    }, PATIENCE);
  });

  test("a log-out at one replica holds at the other, and ends no other log-in", async () => {
    const email = "leaving@example.org";
    await addCustomer(email);
    const [leaving, staying] = [await tokenOf(first, email), await tokenOf(first, email)].map(bearer);
    for (const headers of [leaving, staying]) expect(await isLetIn(second, headers ?? {})).toBe(true);
    const request = { method: "POST", headers: leaving ?? {} };
    expect((await newVisitor().ask(first, "/api/auth/logout", request)).status).toBe(204);
    await eventually(async () => expect(await isLetIn(second, leaving ?? {})).toBe(false), PATIENCE);
    expect(await isLetIn(second, staying ?? {})).toBe(true);
  });

  test("a suspension at one replica shuts token, API key and cookie out at the other", async () => {
    const email = "suspended@example.org";
    const id = await addCustomer(email);
    const token = bearer(await tokenOf(first, email));
    const key = await newVisitor().ask(first, "/api/account/api-keys", {
      method: "POST",
      headers: token,
      body: { name: "Program", scopes: ["account:read"], password: PASSWORD },
    });
    const logInByCookie = { method: "POST", body: { email, password: PASSWORD } };
    const { cookie = "" } = await newVisitor().ask(first, "/api/session", logInByCookie);
    const credentials = [token, bearer(textIn(key.body, "text") ?? ""), { cookie }];
    for (const headers of credentials) expect(await isLetIn(second, headers)).toBe(true);
    await atFirst.accounts.change({ params: { id }, body: { state: "suspended" } });
    for (const headers of credentials)
      await eventually(async () => expect(await isLetIn(second, headers)).toBe(false), PATIENCE);
  });

  test.each([
    ["killed", "203.0.113.200"],
    ["frozen", "203.0.113.201"],
  ] as const)(
    "Redis %s under load: all are answered, and each replica limits and blocks for itself",
    async (way, network) => {
      const blocked = visitorFrom(network);
      await atFirst.blocks.add({ body: { network, minutes: 60 } });
      await become([first, second], "sentinel.blocked", blocked);
      const load = startLoad(both);
      await load.goOnFor(100);
      await without(way, async () => {
        await load.goOnFor(150);
        expect(await waitForHealth([first, second], "degraded")).toEqual([WITHOUT_REDIS, WITHOUT_REDIS]);
        for (const replica of [first, second]) await useUp(replica, newVisitor());
        await become([first, second], "sentinel.blocked", blocked);
      });
      await load.goOnFor(100);
      expect(await load.stop()).toEqual([]);
      await expectOneLimitForAll(both);
    },
  );

  test("Redis back, and empty: all is shared again, with what came about before and meanwhile", async () => {
    const blockedBefore = newVisitor();
    await becomeBlocked(blockedBefore);
    const blockedMeanwhile = visitorFrom("203.0.113.202");
    const usedMeanwhile = newVisitor();
    await without("killed", async () => {
      await waitForHealth([first, second], "degraded");
      await atFirst.blocks.add({ body: { network: blockedMeanwhile.address, minutes: 60 } });
      await become([first], "sentinel.blocked", blockedMeanwhile);
      await become([second], undefined, blockedMeanwhile);
      await useUp(first, usedMeanwhile);
    });
    await expectUsedUp(second, usedMeanwhile);
    await become([first, second], "sentinel.blocked", blockedMeanwhile);
    await become([first, second], "sentinel.blocked", blockedBefore);
    await expectOneLimitForAll(both);
    for (let round = 0; round < 3; round++) {
      await expectBlockToCross(atFirst, second, `203.0.113.${100 + round}`);
      await expectBlockToCross(atSecond, first, `203.0.113.${100 + round}`);
    }
  });

  test("a replica started while Redis is away serves, and joins the others once it is back", async () => {
    const started: ControlPlane[] = [];
    try {
      await without("killed", async () => {
        const third = await start("third");
        started.push(third);
        expect(await waitForHealth([third], "degraded")).toEqual([WITHOUT_REDIS]);
        await useUp(third, newVisitor());
        expect(await isLetIn(third, bearer(await tokenOf(third, ADMIN)))).toBe(true);
      });
      await waitForHealth(started, "healthy");
      for (const third of started) {
        await expectBlockToCross(atFirst, third, "203.0.113.110");
        await expectBlockToCross((await logIn(third.url, ADMIN)).client, second, "203.0.113.111");
        await expectOneLimitForAll((number) => (number % 2 === 0 ? first : third));
      }
    } finally {
      for (const { process } of started) await process.stop();
    }
  });

  test("a replica that finds Redis back before the others does not undo what they block", async () => {
    const blocked = newVisitor();
    await becomeBlocked(blocked);
    const started: ControlPlane[] = [];
    try {
      await without(
        "killed",
        async () => {
          started.push(await start("fourth"));
          for (const { process } of [first, second]) process.kill("SIGSTOP");
        },
        async () => {
          await waitForHealth(started, "healthy");
          for (const { process } of [first, second]) process.kill("SIGCONT");
        },
      );
      await become([first, second, ...started], "sentinel.blocked", blocked);
    } finally {
      for (const { process } of [first, second]) process.kill("SIGCONT");
      for (const { process } of started) await process.stop();
    }
  });

  // Last: for five minutes from here on everybody must do a proof of work.
  test("an attack spread over both is met at both, and a proof of work counts at one of them", async () => {
    const email = "working@example.org";
    await addCustomer(email);
    // Enough for an attack in all, and not at either of them.
    for (let tries = 0; tries < ATTACK_TRIES && !(await isAskedForWork(first, email)); tries += 8)
      await inParallel(8, (number) =>
        tryToLogIn(both(number), `target-${tries + number}@example.org`, { password: "wrong" }),
      );
    for (const replica of [first, second])
      await eventually(async () => expect(await isAskedForWork(replica, email)).toBe(true), PATIENCE);

    for (const [one, other] of [
      [first, second],
      [second, first],
    ] as const) {
      expect((await tryToLogIn(one, email)).code).toBe("sentinel.challenge_required");
      const { body } = await newVisitor().ask(other, "/api/auth/challenge?purpose=login");
      const solution = await solveChallenge(textIn(body, "challenge") ?? "");
      const headers = { [SOLUTION_HEADER]: solution };
      expect((await tryToLogIn(one, email, { headers })).status).toBe(200);
      expect((await tryToLogIn(other, email, { headers })).code).toBe("sentinel.challenge_failed");
    }
  });
});
