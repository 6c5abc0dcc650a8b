import { createHash } from "node:crypto";
import {
  type ApiKey,
  accountErrors,
  apiKeyErrors,
  blockErrors,
  type LogIn,
  type RouteSpec,
  SCOPES,
  sentinelErrors,
  sessionErrors,
} from "@securewave/contracts";
import { leadingZeroBits, parseSolution } from "@securewave/contracts/challenge";
import { pageOf } from "@securewave/contracts/testing/fake-call";
import { invariant, type Refusal } from "@securewave/foundation";
import type { Handlers, Input } from "./fake-input.ts";
import { type FakeApiKey, fakeApiKey, fakeBlock } from "./fake-security.ts";
import { type FakeState, PASSWORD } from "./fake-state.ts";

/** Solved at once. */
const DIFFICULTY_BITS = 4;
const TODAY = "2026-11-20";

/** Demands a proof of work where the service is under attack, as the gate of the service does. */
export function demandWork(route: RouteSpec, solution: unknown, { security }: FakeState): void {
  if (route.challenge === undefined || !security.isUnderAttack) return;
  if (typeof solution !== "string") throw sentinelErrors.challengeRequired();
  const challenge = parseSolution(solution);
  const bits = leadingZeroBits(createHash("sha256").update(solution).digest());
  const isRight = challenge?.purpose === route.challenge && bits >= challenge.difficultyBits;
  if (!isRight || security.solved.includes(challenge.id)) throw sentinelErrors.challengeFailed();
  security.solved.push(challenge.id);
}

/** Refuses an API key what its scopes do not allow. */
export function demandScope({ scope }: RouteSpec, token: string, { security }: FakeState): void {
  const key = security.apiKeys.find(({ text }) => text === token);
  if (!key) return;
  if (scope === undefined)
    throw sentinelErrors.scopeMissing({
      detail: "No API key may do that, whatever its scopes: it takes a log-in.",
    });
  if (!key.scopes.includes(scope))
    throw sentinelErrors.scopeMissing({ detail: `This API key has no scope for that: it needs ${scope}.` });
}

/** What a log-in, or a proof of who is logged in, needs besides the password. */
export function demandCode(accountId: string, code: unknown, { security }: FakeState): void {
  if (security.lockedSeconds > 0) throw sessionErrors.locked({ retryAfterSeconds: security.lockedSeconds });
  const codes = security.codes.get(accountId);
  if (codes === undefined) return;
  if (code === undefined) throw sessionErrors.secondFactorNeeded();
  const at = codes.indexOf(String(code));
  if (at < 0) throw sessionErrors.wrongCode();
  codes.splice(at, 1);
}

/** Refuses who does not prove by password and code to be the one who is logged in. */
export function demandProof({ accountId, body }: Input, state: FakeState): void {
  if (body.password !== PASSWORD) throw accountErrors.wrongPassword();
  demandCode(accountId, body.code, state);
}

export function securityHandlers(state: FakeState): Handlers {
  const { security } = state;
  const ownerOf = ({ token }: Input) => {
    const account = state.accountOfToken(token);
    invariant(account, "the route needs a log-in");
    return account;
  };
  const view = ({ accountId: _, text: __, ...key }: FakeApiKey): ApiKey => key;
  const ownKey = (input: Input) => {
    const { id } = ownerOf(input);
    return pick(
      security.apiKeys,
      (key) => key.accountId === id && key.id === input.params.id,
      apiKeyErrors.notFound,
    );
  };
  const end = (isEnded: (session: FakeState["sessions"][number]) => boolean) => {
    for (const session of state.sessions) if (isEnded(session)) session.hasEnded = true;
    return null;
  };
  return {
    "challenges.issue": ({ query }) => {
      const id = String(security.solved.length).padStart(22, "0");
      return { challenge: `c1.${query.purpose}.${DIFFICULTY_BITS}.1795176000.${id}.${"s".repeat(43)}` };
    },
    "blocks.list": ({ query }) => pageOf(security.blocks, query),
    "blocks.add": ({ body }) => {
      const origin = String(body.network);
      if (!/^[\da-f.:]+(\/\d+)?$/.test(origin)) throw blockErrors.wrongNetwork();
      if (origin.startsWith("127.")) throw blockErrors.wouldLockOut();
      const block = fakeBlock({ kind: "network", origin, reason: "staff" }, Number(body.minutes));
      security.blocks.unshift(block);
      return block;
    },
    "blocks.lift": ({ params }) => {
      const block = pick(security.blocks, ({ id }) => id === params.id, blockErrors.notFound);
      security.blocks.splice(security.blocks.indexOf(block), 1);
      return null;
    },
    "apiKeys.list": (input) => {
      const { id } = ownerOf(input);
      return pageOf(security.apiKeys.filter(({ accountId }) => accountId === id).map(view), input.query);
    },
    "apiKeys.create": (input) => {
      const { body } = input;
      demandProof(input, state);
      const days = Number(body.expires_in_days ?? 90);
      if (days > 365) throw apiKeyErrors.tooLong();
      const scopes = SCOPES.filter((scope) => Array.isArray(body.scopes) && body.scopes.includes(scope));
      const key = {
        ...fakeApiKey(ownerOf(input).id, String(body.name), scopes),
        requests_per_minute: Number(body.requests_per_minute ?? 300),
        expires_on: new Date(Date.parse(TODAY) + days * 86_400_000).toISOString().slice(0, 10),
      };
      security.apiKeys.push(key);
      return { ...view(key), text: key.text };
    },
    "apiKeys.rotate": (input) => {
      const key = ownKey(input);
      demandProof(input, state);
      Object.assign(key, { text: `${key.text}1`, previous_until: "2026-11-21" });
      return { ...view(key), text: key.text };
    },
    "apiKeys.revoke": (input) => {
      security.apiKeys.splice(security.apiKeys.indexOf(ownKey(input)), 1);
      return null;
    },
    "sessions.list": (input) => {
      const { id } = ownerOf(input);
      const own = state.sessions.filter((session) => session.accountId === id && !session.hasEnded);
      const views = own.map(
        (session): LogIn => ({
          id: session.id,
          kind: "program",
          is_current: session.access === input.token,
          created_on: "2026-11-19",
          expires_on: "2026-12-19",
        }),
      );
      return pageOf(views, input.query);
    },
    "sessions.end": (input) => {
      const { id } = ownerOf(input);
      const isMeant = ({ accountId, ...session }: FakeState["sessions"][number]) =>
        accountId === id && session.id === input.params.id;
      pick(state.sessions, isMeant, sessionErrors.notFound);
      return end(isMeant);
    },
    "sessions.endAllOf": ({ params }) => end(({ accountId }) => accountId === params.id),
    "secondFactor.resetOf": ({ params }) => {
      security.codes.delete(String(params.id));
      return end(({ accountId }) => accountId === params.id);
    },
  };
}

function pick<Item>(items: readonly Item[], isIt: (item: Item) => boolean, notFound: Refusal): Item {
  const item = items.find(isIt);
  if (item === undefined) throw notFound();
  return item;
}
