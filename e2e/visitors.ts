import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@securewave/testing";
import type { ControlPlane } from "./control-plane.ts";
import { PASSWORD } from "./people.ts";

const ANSWER_TIMEOUT_MS = 60_000;
/** What a visitor may look at without logging in. */
const PLACE = "/api/service";
const WORKERS = 4;
const BREATH_MS = 20;
/** Of so many requests of a load two guess a password: one at each of two replicas. */
const GUESS_EVERY = 100;
/** Few enough in a minute to be no attack. */
const LAST_GUESS = 600;

export interface Answer {
  readonly status: number;
  /** Of a refusal. */
  readonly code: string | undefined;
  /** 0 where nothing is said of it. */
  readonly retryAfterSeconds: number;
  readonly body: unknown;
  readonly cookie: string | undefined;
}

export interface Request {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Somebody at an address of their own, as a trusted proxy in front of the service tells it. */
export interface Visitor {
  readonly address: string;
  /** @throws when there is no answer within a minute */
  ask(replica: ControlPlane, path?: string, request?: Request): Promise<Answer>;
}

export function visitorFrom(address: string): Visitor {
  return {
    address,
    async ask({ url }, path = PLACE, { method = "GET", body, headers = {} } = {}) {
      const type = body === undefined ? {} : { "content-type": "application/json" };
      const response = await fetch(url + path, {
        method,
        headers: { ...headers, ...type, "x-forwarded-for": address },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      const answer: unknown = await response.json().catch(() => undefined);
      return {
        status: response.status,
        code: response.ok ? undefined : textIn(answer, "code"),
        retryAfterSeconds: Number(response.headers.get("retry-after") ?? 0),
        body: answer,
        cookie: response.headers.getSetCookie()[0]?.split(";")[0],
      };
    },
  };
}

let visitors = 0;

/** Somebody whom nobody has seen yet; of the network for benchmarks, RFC 2544. */
export function newVisitor(): Visitor {
  visitors++;
  return visitorFrom(`198.18.${visitors >> 8}.${visitors & 255}`);
}

/** A text of an answer's body. */
export function textIn(body: unknown, name: string): string | undefined {
  const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === "string" ? value : undefined;
}

export function bearer(credential: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${credential}` };
}

/** Tries to log a program in, from a new address where none is given. */
export function tryToLogIn(
  replica: ControlPlane,
  email: string,
  { password = PASSWORD, from = newVisitor(), headers = {} }: LogInTry = {},
): Promise<Answer> {
  return from.ask(replica, "/api/auth/login", { method: "POST", body: { email, password }, headers });
}

export interface LogInTry {
  /** The right one where none is given. */
  readonly password?: string;
  readonly from?: Visitor;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Does so many things, a few at once, and gives back what came of each. */
export async function inParallel<T>(times: number, act: (number: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async () => {
    while (next < times) {
      const number = next++;
      results[number] = await act(number);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return results;
}

/** Ever new people who look at a service, and some who guess passwords. */
export interface Load {
  /** Waits until so many more requests were answered, well or not. */
  goOnFor(requests: number): Promise<void>;
  /** @returns what was wrong with answers, and requests that got none; nothing if all is well */
  stop(): Promise<string[]>;
}

export function startLoad(replicaOf: (number: number) => ControlPlane): Load {
  const problems: string[] = [];
  let begun = 0;
  let ended = 0;
  let isStopped = false;

  async function askOnce(number: number): Promise<void> {
    const replica = replicaOf(number);
    const isGuess = number % GUESS_EVERY < 2 && number < LAST_GUESS;
    const { status, code } = isGuess
      ? await tryToLogIn(replica, `guessed-${number}@example.org`, { password: "wrong" })
      : await newVisitor().ask(replica);
    if (status !== (isGuess ? 401 : 200)) problems.push(`${status} ${code}`);
  }
  async function work(): Promise<void> {
    while (!isStopped) {
      await askOnce(begun++).catch((error: unknown) => problems.push(String(error)));
      ended++;
      await pause(BREATH_MS);
    }
  }
  const working = Promise.all(Array.from({ length: WORKERS }, work));

  return {
    async goOnFor(requests) {
      const goal = ended + requests;
      const look = () => {
        if (ended < goal) throw new Error(`${goal - ended} requests are not answered yet`);
      };
      await eventually(look, { timeoutMs: ANSWER_TIMEOUT_MS });
    },
    async stop() {
      isStopped = true;
      await working;
      return problems;
    },
  };
}
