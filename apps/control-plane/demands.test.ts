import { openDatabase } from "@securewave/database";
import { missingServer, openTestServer } from "@securewave/database/testing-server";
import { createSecret } from "@securewave/foundation/secret";
import { eventually, requirements } from "@securewave/testing";
import { openTestRedis, redisRequirements } from "@securewave/testing/redis";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import { demandQuietStores, watchDemands } from "./demands.ts";
import { createTelemetry } from "./http/telemetry.ts";
import { createLogger } from "./logger.ts";
import { openTestApp } from "./testing.ts";

const needs = redisRequirements();
const serverNeeds = requirements({ others: [missingServer()] });
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe.skipIf(!needs.ok)(needs.title("a Redis that writes to its disk"), () => {
  test("is not used, health is degraded and says why, and all is well when it is mended", async () => {
    const redis = await openTestRedis({ settings: { save: "60 1" } });
    closing.push(redis.close);
    const service = await openTestApp({ settings: { REDIS_URL: redis.url } });
    closing.push(service.close);
    const health = () => service.client().service.health();
    await eventually(async () =>
      expect(await health()).toMatchObject({
        status: "degraded",
        checks: { redis: "not used, as it may write to its disk (save)" },
      }),
    );
    expect(service.logLines.join("")).toContain('"event":"redis_demands_unmet"');
    const admin = new Redis(redis.url);
    closing.push(() => admin.disconnect());
    await service.person();
    expect(await admin.dbsize()).toBe(0);

    await admin.config("SET", "save", "");
    await service.app.demands.look();
    await eventually(async () =>
      expect(await health()).toMatchObject({ status: "healthy", checks: { redis: "connected" } }),
    );
    expect(service.app.demands.findings()).toContainEqual(
      expect.objectContaining({ store: "redis", weight: "minor" }),
    );
  });

  test("is used where that is allowed, and health says so", async () => {
    const redis = await openTestRedis({ settings: { appendonly: "yes" } });
    closing.push(redis.close);
    const service = await openTestApp({ settings: { REDIS_URL: redis.url, REDIS_PERSISTENCE: "allowed" } });
    closing.push(service.close);
    await eventually(async () =>
      expect(await service.client().service.health()).toMatchObject({
        status: "healthy",
        checks: { redis: "connected; it writes to its disk (appendonly), as REDIS_PERSISTENCE=allowed says" },
      }),
    );
  });

  test("is refused at the start, and one that is away is not", async () => {
    const redis = await openTestRedis({ settings: { save: "60 1" } });
    closing.push(redis.close);
    const service = await openTestApp();
    closing.push(service.close);
    const withRedis = (url: string) => ({ ...service.config, redisUrl: createSecret(url) });
    await expect(demandQuietStores(withRedis(redis.url), service.database)).rejects.toMatchObject({
      code: "redis.persists",
      message: expect.stringContaining('CONFIG SET save ""'),
    });
    const allowed = { ...withRedis(redis.url), redisPersistence: "allowed" as const };
    await demandQuietStores(allowed, service.database);
    await demandQuietStores(withRedis("redis://127.0.0.1:1"), service.database);
  });
});

describe.skipIf(!serverNeeds.ok)(serverNeeds.title("a PostgreSQL that logs the values of statements"), () => {
  test("is refused at the start; settings that change later are noticed, said in health and no reason to end", async () => {
    const service = await openTestApp();
    closing.push(service.close);
    const server = await openTestServer();
    closing.push(server.close);
    const url = await server.createRole("service");
    const open = async () => {
      const database = await openDatabase({ url, poolMax: 1, statementTimeoutMs: 5000 });
      closing.push(database.close);
      return database;
    };
    const { config } = service;
    const lines: string[] = [];
    const logger = createLogger("info", { write: (line) => void lines.push(line) });
    const none = {
      storeState: () => undefined,
      storeExamination: () => undefined,
      examineStore: async () => {},
    };
    const watch = async (given: typeof config) => {
      const database = await open();
      await demandQuietStores(config, database);
      const telemetry = createTelemetry(logger);
      const demands = watchDemands({ config: given, database, logger, telemetry, security: none });
      closing.push(demands.close);
      return demands;
    };
    const [strict, lenient] = [
      await watch(config),
      await watch({ ...config, store: { ...config.store, logging: "allowed" } }),
    ];
    await strict.look();
    expect(strict.isUnmet()).toBe(false);
    expect(strict.describe().database).toBe(
      "connected; it keeps more than it need (log_min_messages, log_error_verbosity)",
    );

    await server.run("alter system set log_min_duration_statement = 250", "select pg_reload_conf()");
    await eventually(async () => {
      for (const demands of [strict, lenient]) await demands.look();
      expect(strict.isUnmet()).toBe(true);
    });
    expect(strict.describe().database).toBe(
      "connected; it logs the values of statements (log_min_duration_statement)",
    );
    expect(lines.join("")).toContain('"event":"database_demands_unmet"');
    expect(lenient.isUnmet()).toBe(false);
    expect(lenient.describe().database).toMatch(/as DATABASE_LOGGING allows$/);
    await expect(demandQuietStores(config, await open())).rejects.toMatchObject({
      code: "store.logs_values",
      message: expect.stringContaining('GRANT SET ON PARAMETER log_min_duration_statement TO "service"'),
    });
  });
});
