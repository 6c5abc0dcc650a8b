import { setTimeout as pause } from "node:timers/promises";
import autocannon, { type Request, type Result } from "autocannon";
import type { Bench, Figure } from "./figure.ts";
import { createCaller } from "./http.ts";
import { openService, type Service } from "./service.ts";
import { percentile } from "./statistics.ts";

const USERS = 1000;
/** On the average a user asks something so often, at moments that nobody chose. */
const THINK_MS = 2000;
/** Of all requests. */
const LOG_INS_SHARE = 0.005;
/** The rest of the requests, in equal parts. */
const PATHS = ["/api/vpn/devices", "/api/vpn/servers"];
const RAMP_MS = 2000;

interface Person {
  readonly email: string;
  readonly token: string;
}

export const load: Bench = {
  name: "load",
  async measure({ isQuick, progress, report }) {
    const service = await openService();
    try {
      const people: Person[] = [];
      for (let at = 0; at < (isQuick ? 5 : 50); at++) {
        const { token } = await service.addCustomer();
        people.push({ email: `customer${at}@example.org`, token });
      }
      progress(`load: ${USERS} users at once, each with a connection of its own`);
      const used = await useService(service, people, isQuick ? 3000 : 20_000);
      progress(`load: ${USERS} connections that ask without a pause`);
      const flooded = await flood(service, people, isQuick ? 2 : 8);
      report(...figuresOf(used, flooded));
    } finally {
      await service.close();
    }
  },
};

interface Used {
  readonly browsingMs: number[];
  readonly logInMs: number[];
  readonly errors: number;
}

/** Has all users ask at their own pace; times what is asked once all have begun. */
async function useService(service: Service, people: readonly Person[], durationMs: number): Promise<Used> {
  const browsingMs: number[] = [];
  const logInMs: number[] = [];
  let errors = 0;
  const startMs = performance.now();
  const endMs = startMs + RAMP_MS + durationMs;

  async function act(person: Person, http: ReturnType<typeof createCaller>): Promise<void> {
    const isLogIn = Math.random() < LOG_INS_SHARE;
    const path = PATHS[Math.floor(Math.random() * PATHS.length)] ?? "";
    const credentials = { email: person.email, password: service.password };
    const fromMs = performance.now();
    const asked = isLogIn
      ? http.call("POST", "/api/auth/login", undefined, credentials)
      : http.call("GET", path, person.token);
    await asked.catch(() => errors++);
    if (fromMs > startMs + RAMP_MS) (isLogIn ? logInMs : browsingMs).push(performance.now() - fromMs);
  }

  async function live(at: number): Promise<void> {
    const person = people[at % people.length];
    if (!person) return;
    const http = createCaller(service.port, 1);
    await pause(Math.random() * RAMP_MS);
    while (performance.now() < endMs) {
      await act(person, http);
      await pause(-Math.log(1 - Math.random()) * THINK_MS);
    }
    http.close();
  }

  await Promise.all(Array.from({ length: USERS }, (_, at) => live(at)));
  return { browsingMs, logInMs, errors };
}

/** As many connections, each asking again as soon as it has an answer: what the machine can do at most. */
async function flood(service: Service, people: readonly Person[], seconds: number): Promise<Result> {
  const requests: Request[] = people.flatMap(({ token }) =>
    PATHS.map((path) => ({ method: "GET" as const, path, headers: { authorization: `Bearer ${token}` } })),
  );
  return autocannon({ url: service.url, connections: USERS, duration: seconds, requests });
}

function figuresOf({ browsingMs, logInMs, errors }: Used, flooded: Result): Figure[] {
  const allMs = [...browsingMs, ...logInMs];
  const at = (values: readonly number[], share: number) => percentile(values, share).toFixed(0);
  return [
    {
      id: "load.p95_ms_1000_users",
      value: percentile(allMs, 0.95),
      unit: "ms",
      limit: 200,
      goal: "<=200",
      note: `${allMs.length} requests of ${USERS} users: devices, servers, log-ins; p50 ${at(allMs, 0.5)} ms, p99 ${at(allMs, 0.99)} ms; limit: the documents' promise`,
    },
    {
      id: "load.login_p95_ms",
      value: percentile(logInMs, 0.95),
      unit: "ms",
      limit: null,
      goal: null,
      note: `the ${logInMs.length} log-ins among them, p50 ${at(logInMs, 0.5)} ms: Argon2id is meant to be slow`,
    },
    {
      id: "load.flooded_rps",
      value: flooded.requests.average,
      unit: "1/s",
      limit: null,
      goal: null,
      note: `${USERS} connections of autocannon that never pause: p50 ${flooded.latency.p50} ms, p97.5 ${flooded.latency.p97_5} ms`,
    },
    {
      id: "load.errors",
      value: errors + flooded.non2xx + flooded.errors + flooded.timeouts,
      unit: "",
      limit: 0,
      goal: "=0",
      note: "refused, failed and timed out, in both",
    },
  ];
}
