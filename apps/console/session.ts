import { type Account, ApiError, type Session } from "@securewave/contracts";

/** `unknown` until the first renewal has said whether the browser holds a log-in. */
export type SessionState =
  | { readonly status: "unknown" }
  | { readonly status: "visitor" }
  | { readonly status: "loggedIn"; readonly account: Account };

export interface SessionOptions {
  /** Asks for a fresh access token; the refresh token travels in a cookie that scripts cannot read. */
  readonly refresh: () => Promise<Session>;
  /** Runs the task while no other tab of this browser runs one: they share the cookie, and a token renews once. */
  readonly alone: <Value>(task: () => Promise<Value>) => Promise<Value>;
}

/** The log-in of this page. The access token lives in this closure and in no storage. */
export interface PageSession {
  state(): SessionState;
  subscribe(changed: () => void): () => void;
  token(): string | undefined;
  adopt(session: Session): void;
  /** Replaces what is known of the account, after it was read again. */
  setAccount(account: Account): void;
  /**
   * Gets a fresh access token; calls that come while one is under way share it.
   *
   * @returns false when the log-in has ended
   * @throws ApiError when the service cannot tell, being unreachable or failing: the log-in may still hold
   */
  renew(): Promise<boolean>;
  end(): void;
}

export function createSession({ refresh, alone }: SessionOptions): PageSession {
  let state: SessionState = { status: "unknown" };
  let accessToken: string | undefined;
  let underWay: Promise<boolean> | undefined;
  /** Changes with each log-in and log-out, so that an answer from before it does not undo it. */
  let epoch = 0;
  const subscribers = new Set<() => void>();

  function become(next: SessionState, token: string | undefined): void {
    state = next;
    accessToken = token;
    for (const changed of subscribers) changed();
  }

  function adopt(session: Session): void {
    epoch++;
    become({ status: "loggedIn", account: session.account }, session.access_token);
  }

  function end(): void {
    epoch++;
    become({ status: "visitor" }, undefined);
  }

  async function renewOnce(): Promise<boolean> {
    const begun = epoch;
    try {
      const session = await alone(refresh);
      if (begun === epoch) adopt(session);
    } catch (error) {
      if (!isFinal(error)) throw error;
      if (begun === epoch) end();
    }
    return state.status === "loggedIn";
  }

  return {
    state: () => state,
    subscribe(changed) {
      subscribers.add(changed);
      return () => subscribers.delete(changed);
    },
    token: () => accessToken,
    adopt,
    setAccount(account) {
      if (state.status === "loggedIn") become({ status: "loggedIn", account }, accessToken);
    },
    renew() {
      underWay ??= renewOnce().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
    end,
  };
}

/** Whether the service said no, in contrast to not having been able to answer. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && [400, 401, 403].includes(error.status);
}
