import type { ApiKey, Block, Scope } from "@securewave/contracts";
import { createId } from "@securewave/foundation";

export interface FakeApiKey extends ApiKey {
  readonly accountId: string;
  text: string;
}

/** What guards the fake service; all of it is off until a test says otherwise. */
export interface FakeSecurity {
  readonly blocks: Block[];
  readonly apiKeys: FakeApiKey[];
  /** The codes that an account takes besides its password, each once. */
  readonly codes: Map<string, string[]>;
  /** For how long log-ins are refused. */
  lockedSeconds: number;
  /** Whether a proof of work is wanted of who logs in. */
  isUnderAttack: boolean;
  readonly solved: string[];
}

const TODAY = "2026-11-20";
const SECRET_OF_KEYS = "_example_";

export function createFakeSecurity(): FakeSecurity {
  return {
    blocks: [
      fakeBlock({ kind: "origin", origin: "o-7f3a9c", reason: "violations" }),
      fakeBlock({ kind: "network", origin: "203.0.113.0/24", reason: "staff" }),
    ],
    apiKeys: [],
    codes: new Map(),
    lockedSeconds: 0,
    isUnderAttack: false,
    solved: [],
  };
}

export function fakeBlock(fields: Pick<Block, "kind" | "origin" | "reason">, minutes = 90): Block {
  const since = Date.parse(`${TODAY}T12:00:00Z`);
  const instant = (ms: number) => new Date(ms).toISOString();
  return {
    id: createId("block"),
    ...fields,
    since: instant(since),
    until: instant(since + minutes * 60_000),
  };
}

export function fakeApiKey(accountId: string, name: string, scopes: readonly Scope[]): FakeApiKey {
  const id = createId("apiKey");
  return {
    id,
    accountId,
    name,
    scopes: [...scopes],
    requests_per_minute: 300,
    created_on: TODAY,
    expires_on: "2027-02-18",
    previous_until: null,
    text: `swk${id.slice("key".length)}${SECRET_OF_KEYS}1`,
  };
}
