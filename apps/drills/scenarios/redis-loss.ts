import { setTimeout as pause } from "node:timers/promises";
import { ApiError, sentinelErrors } from "@securewave/contracts";
import type { Drill, Measured } from "../drill.ts";
import { startHeartbeat } from "../parts/heartbeat.ts";
import { freePort, type Program, startProgram } from "../parts/programs.ts";
import { PASSWORD, type Service, startService } from "../parts/service.ts";
import { demand, until } from "../parts/waiting.ts";

/** Log-ins that one origin may try in a minute. */
const LIMIT = 8;
const WITHOUT_REDIS_MS = 3_000;
const REFUSALS: ReadonlySet<string> = new Set([
  sentinelErrors.tooManyRequests.code,
  sentinelErrors.blocked.code,
  sentinelErrors.challengeRequired.code,
]);

/** Redis is killed: requests go on, limits hold, and all is shared again once it is back. */
export async function redisLoss(drill: Drill): Promise<Measured> {
  const port = await freePort();
  drill.step("Redis, and a service that shares its limits over it");
  const redis = await startRedis(drill, port);
  const service = await startService(drill, {
    name: "service",
    hasLimits: true,
    env: {
      REDIS_URL: `redis://127.0.0.1:${port}`,
      RATE_LIMIT_GLOBAL: "100000",
      RATE_LIMIT_IP: "100000",
      RATE_LIMIT_USER: "100000",
      RATE_LIMIT_SENSITIVE: String(LIMIT),
    },
  }).then(withRedis);
  const { client: admin } = await service.admin();
  const heartbeat = startHeartbeat(admin);
  drill.closing.defer(heartbeat.stop);
  await heartbeat.nextAfter(performance.now());

  drill.step("Redis is killed");
  const faultMs = performance.now();
  await redis.cut();
  const rtoSeconds = ((await heartbeat.nextAfter(faultMs)) - faultMs) / 1000;
  await pause(WITHOUT_REDIS_MS);
  drill.step(`writes went on; the longest pause was ${heartbeat.longestGapSeconds(faultMs).toFixed(2)} s`);
  const allowed = await triesUntilRefused(service);
  drill.check(`limits hold without it: ${allowed} of ${LIMIT} tries a minute let through`, allowed <= LIMIT);
  const { checks } = await service.client().service.health();
  drill.check("health says that Redis is away", checks.redis !== "connected");

  await startRedis(drill, port);
  drill.step("Redis is back");
  await until("the service seeing Redis again", async () => {
    const health = await service.client().service.health();
    demand(health.checks.redis === "connected", `Redis is ${health.checks.redis}`);
  });
  drill.check("health says that Redis is there", true);
  const settled = await heartbeat.settle(admin, faultMs);
  drill.check("no acknowledged write was lost", settled.lost === 0);
  return { rtoSeconds, ...settled };
}

async function startRedis(drill: Drill, port: number): Promise<Program> {
  const program = startProgram(drill, "redis-server", {
    args: ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    cwd: drill.dir,
  });
  await program.waitFor(/Ready to accept connections/);
  return program;
}

/** It is with Redis only once it says so. */
async function withRedis(service: Service): Promise<Service> {
  await until("Redis being used", async () => {
    const { checks } = await service.client().service.health();
    demand(checks.redis === "connected", `Redis is ${checks.redis}`);
  });
  return service;
}

/** @returns how many wrong log-ins were let through before one was refused for their number */
async function triesUntilRefused(service: Service): Promise<number> {
  for (let tries = 0; tries < 10 * LIMIT; tries++) {
    const code = await service
      .client()
      .sessions.logIn({ body: { email: `nobody${tries}@example.org`, password: PASSWORD } })
      .then(() => "ok")
      .catch((error: unknown) => (error instanceof ApiError ? error.code : "unknown"));
    if (REFUSALS.has(code)) return tries;
  }
  return 10 * LIMIT;
}
