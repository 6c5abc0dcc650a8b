import { ApiError, createClient } from "@securewave/contracts";
import { createReachability } from "./reachability.ts";
import { createSession } from "./session.ts";

const REFRESH_LOCK = "securewave.refresh";

export const reachability = createReachability((input, init) => fetch(input, init));

export const session = createSession({
  refresh: () => client.sessions.refresh({ body: {} }),
  alone: (task) => ("locks" in navigator ? navigator.locks.request(REFRESH_LOCK, task) : task()),
});

/** The API of the service that this page came from. */
export const client = createClient({
  baseUrl: "",
  token: session.token,
  renewToken: () => session.renew(),
  fetch: reachability.fetch,
});

/** Tells the browser's other tabs that the log-in ended, so that none goes on showing data. */
const tabs = new BroadcastChannel("securewave.session");
tabs.onmessage = () => session.end();

/** Ends this log-in, or every log-in of the account. */
export async function logOut(scope: "here" | "everywhere"): Promise<void> {
  try {
    await (scope === "here" ? client.sessions.logOut() : client.sessions.logOutEverywhere());
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
  }
  tabs.postMessage("ended");
  session.end();
}
