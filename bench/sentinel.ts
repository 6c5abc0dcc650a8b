import { fileURLToPath } from "node:url";
import { systemClock } from "@securewave/foundation";
import { createSecret } from "@securewave/foundation/secret";
import { createCsrf, createRateLimits, createReputation } from "@securewave/sentinel";
import { createApiKey, createApiKeyVerifier } from "@securewave/sentinel/api-keys";
import { openSharedStore } from "@securewave/sentinel/redis";
import { createCookieSessions } from "@securewave/sentinel/sessions";
import { createAccessTokens } from "@securewave/sentinel/tokens";
import { openTestRedis, requirements, startProcess } from "@securewave/testing";
import autocannon from "autocannon";
import type { FastifyRequest } from "fastify";
import type { Bench, BenchRun, Figure } from "./figure.ts";
import type { ServerKind } from "./sentinel-server.ts";
import { median, percentile } from "./statistics.ts";

const clock = systemClock;
const KEY = new Uint8Array(32).fill(9);
const HOLDERS = 1000;
/** The documents' budgets in milliseconds, per request. */
const BUDGETS = { jwt: 10, rateLimit: 5, csrf: 3, session: 8, apiKey: 5, all: 50 };
/** Our goals: a fiftieth of each in this process, a fifth over Redis. */
const IN_PROCESS = 50;
const OVER_REDIS = 5;

export const sentinel: Bench = {
  name: "sentinel",
  async measure(run) {
    run.progress("sentinel: each step by itself");
    run.report(...(await measureSteps(run)));
    const redis = requirements({ tools: ["redis-server"] });
    if (redis.ok) run.report(...(await measureShared(run)));
    else run.leaveOut("sentinel.rate_limit_redis_p99_ms, sentinel.rate_limit_overshoot");
    run.progress("sentinel: reputation");
    run.report(...(await measureReputation(run)));
    run.progress("sentinel: throughput beside bare servers and the usual stack");
    run.report(...(await measureThroughput(run)));
  },
};

/** Milliseconds of each of many calls. */
async function timeEach(times: number, call: (at: number) => unknown): Promise<{ p50: number; p99: number }> {
  for (let at = 0; at < times / 4; at++) await call(at); // warm
  const taken: number[] = [];
  for (let at = 0; at < times; at++) {
    const startMs = performance.now();
    const result = call(at);
    if (result instanceof Promise) await result;
    taken.push(performance.now() - startMs);
  }
  return { p50: median(taken), p99: percentile(taken, 0.99) };
}

function stepFigure(
  id: string,
  { p50, p99 }: { p50: number; p99: number },
  budgetMs: number,
  share: number,
  what: string,
): Figure {
  return {
    id: `sentinel.${id}_p99_ms`,
    value: p99,
    unit: "ms",
    limit: budgetMs,
    goal: `<=${budgetMs / share}`,
    note: `${what}; p50 ${(p50 * 1000).toFixed(1)} µs; limit: the documents' budget`,
  };
}

async function measureSteps({ isQuick }: BenchRun): Promise<Figure[]> {
  const times = isQuick ? 2000 : 50_000;
  const keys = [
    { kid: "0", algorithm: "HS256" as const, secret: createSecret("a secret of the benchmark with enough") },
  ];
  const tokens = createAccessTokens({
    issuer: "bench",
    audience: "bench",
    lifeSeconds: 3600,
    clock,
    keys: () => keys,
  });
  const signed = Array.from({ length: HOLDERS }, (_, at) =>
    tokens.sign({ accountId: `acc_${at}`, sessionId: `ses_${at}` }),
  );
  const jwt = await timeEach(times, (at) => tokens.verify(signed[at % HOLDERS] ?? ""));

  const limits = createRateLimits({ clock });
  const policy = { name: "user", limit: 1_000_000_000, windowSeconds: 60 };
  const names = Array.from({ length: HOLDERS }, (_, at) => `acc_${at}`);
  const rateLimit = await timeEach(times, (at) => limits.take(policy, names[at % HOLDERS] ?? ""));
  limits.close();

  const csrf = createCsrf({ key: KEY, isOwnOrigin: (origin) => origin === "https://vpn.example.org" });
  const requests = names.map((sessionId) => ({
    sessionId,
    request: {
      method: "POST",
      headers: { origin: "https://vpn.example.org", "x-csrf-token": csrf.tokenFor(sessionId) },
    } as unknown as FastifyRequest,
  }));
  const forged = await timeEach(times, (at) => {
    const { request, sessionId } = requests[at % HOLDERS] as (typeof requests)[number];
    csrf.check(request, sessionId);
  });

  const untilMs = Number.MAX_SAFE_INTEGER;
  const made = names.map((_, at) => createApiKey(`key_${String(at).padStart(20, "0")}`));
  const byId = new Map(
    made.map((key) => [key.id, { holder: key.id, accepted: [{ hash: key.hash, untilMs }] }]),
  );
  const verifier = createApiKeyVerifier<string>({ find: async (id) => byId.get(id), clock });
  for (const { text } of made) await verifier.verify(text);
  const apiKey = await timeEach(times, (at) => verifier.verify(made[at % HOLDERS]?.text ?? ""));

  const stored = new Map<string, { holder: string; accepted: { hash: Uint8Array; untilMs: number }[] }>();
  const cookies = createCookieSessions<string>({
    cookieName: "bench",
    isSecure: true,
    clock,
    find: async (id) => stored.get(id),
  });
  const headers = names.map((_, at) => {
    const id = `ses_${String(at).padStart(20, "0")}`;
    const { text, hash } = cookies.issue(id);
    stored.set(id, { holder: id, accepted: [{ hash, untilMs }] });
    return `theme=dark; __Host-bench=${text}`;
  });
  for (const header of headers) await cookies.verify(header);
  const session = await timeEach(times, (at) => cookies.verify(headers[at % HOLDERS]));

  const all = await timeEach(times, (at) => {
    const { request, sessionId } = requests[at % HOLDERS] as (typeof requests)[number];
    tokens.verify(signed[at % HOLDERS] ?? "");
    limits.take(policy, names[at % HOLDERS] ?? "");
    csrf.check(request, sessionId);
    verifier.verify(made[at % HOLDERS]?.text ?? "");
    return cookies.verify(headers[at % HOLDERS]);
  });
  return [
    stepFigure("jwt", jwt, BUDGETS.jwt, IN_PROCESS, "checking an access token seen before"),
    stepFigure("rate_limit", rateLimit, BUDGETS.rateLimit, IN_PROCESS, "counting a request in this process"),
    stepFigure("csrf", forged, BUDGETS.csrf, IN_PROCESS, "origin and bound token"),
    stepFigure("session", session, BUDGETS.session, IN_PROCESS, "a browser's cookie seen before"),
    stepFigure("api_key", apiKey, BUDGETS.apiKey, IN_PROCESS, "an API key seen before"),
    stepFigure("all", all, BUDGETS.all, IN_PROCESS, "all five one after the other"),
  ];
}

/** Two replicas over one Redis. */
async function measureShared({ isQuick }: BenchRun): Promise<Figure[]> {
  await using redis = await openTestRedis();
  const stores = [1, 2].map(() => openSharedStore({ url: redis.url, clock, key: KEY }));
  await Promise.all(stores.map((store) => store.settled(2000)));
  const replicas = stores.map((store) => createRateLimits({ clock, store }));
  const exact = { name: "exact", limit: 40, windowSeconds: 3600 };
  const [first] = replicas;
  // So small a budget is asked of Redis each time.
  const asked = await timeEach(isQuick ? 500 : 5000, (at) => first?.take(exact, `acc_${at}`));

  const limit = 2000;
  const shared = { name: "shared", limit, windowSeconds: 3600 };
  const wanted = isQuick ? 4000 : 20_000;
  let admitted = 0;
  const ask = async (at: number) => {
    const verdict = await replicas[at % replicas.length]?.take(shared, "one");
    if (verdict?.isAllowed) admitted++;
  };
  for (let at = 0; at < wanted; at += 50)
    await Promise.all(Array.from({ length: 50 }, (_, each) => ask(at + each)));
  for (const replica of replicas) replica.close();
  for (const store of stores) await store.close();
  return [
    stepFigure(
      "rate_limit_redis",
      asked,
      BUDGETS.rateLimit,
      OVER_REDIS,
      "the same, asked of Redis each time",
    ),
    {
      id: "sentinel.rate_limit_overshoot",
      value: Math.max(0, admitted / limit - 1),
      unit: "",
      limit: 0,
      goal: "<=0.01",
      note: `${admitted} of ${wanted} let through by two replicas over Redis, allowed ${limit}`,
    },
  ];
}

async function measureReputation({ isQuick }: BenchRun): Promise<Figure[]> {
  const count = isQuick ? 50_000 : 1_000_000;
  const lines: string[] = [];
  for (let at = 0; at < count; at++) {
    const value = (at * 4099 + 16_777_216) % 4_000_000_000;
    const [a, b, c, d] = [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
    lines.push(
      at % 10 === 0
        ? `2001:db8:${(at >>> 16).toString(16)}:${(at & 0xffff).toString(16)}::/64`
        : `${a}.${b}.${c}.${d}/32`,
    );
  }
  const reputation = createReputation();
  const startMs = performance.now();
  const report = await reputation.replace("block", [lines.join("\n")]);
  const loadS = (performance.now() - startMs) / 1000;
  const addresses = Array.from(
    { length: 1000 },
    (_, at) => `${(at * 7) % 220}.${at % 256}.${(at * 3) % 256}.9`,
  );
  const rounds = 200;
  const lookStartMs = performance.now();
  for (let round = 0; round < rounds; round++) for (const address of addresses) reputation.find(address);
  const lookupUs = ((performance.now() - lookStartMs) * 1000) / (rounds * addresses.length);
  const { ranges, bytes } = reputation.size();
  return [
    {
      id: "sentinel.reputation_load_s",
      value: loadS,
      unit: "s",
      limit: null,
      goal: "<=3",
      note: `${report.networks} networks, a tenth IPv6; ${ranges} ranges in ${(bytes / 1e6).toFixed(1)} MB`,
    },
    {
      id: "sentinel.reputation_lookup_us",
      value: lookupUs,
      unit: "µs",
      limit: null,
      goal: "<=10",
      note: "of an address, listed or not",
    },
  ];
}

const SERVER = fileURLToPath(new URL("./sentinel-server.ts", import.meta.url));
const KINDS: readonly ServerKind[] = ["node-http", "fastify", "sentinel", "express"];

async function measureThroughput({ isQuick }: BenchRun): Promise<Figure[]> {
  const rounds = isQuick ? 1 : 3;
  const seconds = isQuick ? 1 : 4;
  const rates = new Map<ServerKind, number[]>(KINDS.map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round++)
    for (const kind of KINDS) rates.get(kind)?.push(await rateOf(kind, seconds));
  const rate = (kind: ServerKind) => median(rates.get(kind) ?? []);
  const secured = rate("sentinel");
  const figure = (id: string, limit: number, goal: string | null, what: string): Figure => ({
    id: `sentinel.throughput_vs_${id}`,
    value: secured / limit,
    unit: "",
    limit,
    limitUnit: "1/s",
    goal,
    note: `${Math.round(secured)} secured requests a second; limit: ${what}`,
  });
  return [
    figure("fastify", rate("fastify"), ">=0.6", "the same route on bare Fastify"),
    figure("node_http", rate("node-http"), null, "the same JSON from node:http"),
    figure("express_stack", rate("express"), ">=2", "Express 5, helmet, express-rate-limit, jsonwebtoken"),
  ];
}

/** Requests a second of one server, as a process of its own on the other core. */
async function rateOf(kind: ServerKind, duration: number): Promise<number> {
  const server = await startProcess({ command: process.execPath, args: [SERVER, kind], readyWhen: /^port / });
  try {
    const lines = server.lines();
    const port = lines.find((line) => line.startsWith("port "))?.slice(5);
    const token = lines.find((line) => line.startsWith("token "))?.slice(6) ?? "";
    const options = {
      url: `http://127.0.0.1:${port}/servers`,
      connections: 50,
      headers: { authorization: `Bearer ${token}` },
    };
    await autocannon({ ...options, duration: 1 });
    const result = await autocannon({ ...options, duration });
    if (result.non2xx > 0 || result.errors > 0) throw new Error(`${kind} refused ${result.non2xx} requests`);
    return result.requests.average;
  } finally {
    await server.stop();
  }
}
