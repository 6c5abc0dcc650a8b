import type { Account, BrowserSession } from "@securewave/contracts";

/** `unknown` until the service was first asked whether the browser holds a log-in. */
export type SessionState =
  | { readonly status: "unknown" }
  | {
      readonly status: "visitor";
      /** Whether a log-in of this page ended otherwise than by its own log-out, so that it can be told. */
      readonly wasEnded: boolean;
    }
  | { readonly status: "loggedIn"; readonly account: Account };

export interface SessionOptions {
  /** Asks who is logged in by the cookie, which scripts cannot read; null when nobody is. */
  readonly ask: () => Promise<BrowserSession | null>;
}

/** The log-in of this page. What it sends against forged requests lives in this closure and in no storage. */
export interface PageSession {
  state(): SessionState;
  subscribe(changed: () => void): () => void;
  csrfToken(): string | undefined;
  adopt(session: BrowserSession): void;
  /** Replaces what is known of the account, after it was read again. */
  setAccount(account: Account): void;
  /**
   * Asks again who is logged in; calls that come while one is under way share it.
   *
   * @returns whether it is the account that it was before: only then may a refused request be repeated
   * @throws ApiError when the service cannot tell, being unreachable or failing: the log-in may still hold
   */
  restore(): Promise<boolean>;
  /** @param where `here` when this page logged out, `elsewhere` when another tab or the service did */
  end(where: "here" | "elsewhere"): void;
}

export function createSession({ ask }: SessionOptions): PageSession {
  let state: SessionState = { status: "unknown" };
  let csrfToken: string | undefined;
  let underWay: Promise<boolean> | undefined;
  /** Changes with each log-in and log-out, so that an answer from before it does not undo it. */
  let epoch = 0;
  const subscribers = new Set<() => void>();

  function become(next: SessionState, token: string | undefined): void {
    state = next;
    csrfToken = token;
    for (const changed of subscribers) changed();
  }

  function adopt(session: BrowserSession): void {
    epoch++;
    become({ status: "loggedIn", account: session.account }, session.csrf_token);
  }

  function end(where: "here" | "elsewhere"): void {
    epoch++;
    const wasEnded = where === "elsewhere" && (state.status === "loggedIn" || wasEndedBefore());
    become({ status: "visitor", wasEnded }, undefined);
  }

  const wasEndedBefore = () => state.status === "visitor" && state.wasEnded;
  const accountId = () => (state.status === "loggedIn" ? state.account.id : undefined);

  async function restoreOnce(): Promise<boolean> {
    const begun = epoch;
    const before = accountId();
    const session = await ask();
    if (begun === epoch) {
      if (session) adopt(session);
      else end("elsewhere");
    }
    return before !== undefined && before === accountId();
  }

  return {
    state: () => state,
    subscribe(changed) {
      subscribers.add(changed);
      return () => subscribers.delete(changed);
    },
    csrfToken: () => csrfToken,
    adopt,
    setAccount(account) {
      if (state.status === "loggedIn") become({ status: "loggedIn", account }, csrfToken);
    },
    restore() {
      underWay ??= restoreOnce().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
    end,
  };
}
