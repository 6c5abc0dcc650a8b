import {
  ApiError,
  type BrowserSession,
  type Client,
  type ClientOptions,
  createClient,
} from "@securewave/contracts";
import { countingBytes } from "./counting-bytes.ts";
import { createProofOfWork } from "./proof-of-work.ts";
import { createReachability } from "./reachability.ts";
import { createSession } from "./session.ts";
import { solveInWorker } from "./solve-in-worker.ts";

export const reachability = createReachability((input, init) => fetch(input, init));

export const session = createSession({ ask: async () => (await client.session.show()).session });

export const proofOfWork = createProofOfWork(solveInWorker);

const options: ClientOptions = {
  baseUrl: "",
  csrfToken: session.csrfToken,
  renewToken: () => session.restore(),
  solveChallenge: proofOfWork.solve,
  fetch: reachability.fetch,
};

/** The API of the service that this page came from. */
export const client = createClient(options);

/**
 * The same for an answer that takes a while.
 *
 * @param onProgress hears how many bytes of it have come
 */
export function watchingClient(onProgress: (bytes: number) => void): Client {
  return createClient({
    ...options,
    fetch: async (input, init) => countingBytes(await reachability.fetch(input, init), onProgress),
  });
}

/** Tells the browser's other tabs, which share the cookie, that a log-in began or ended. */
const tabs = new BroadcastChannel("securewave.session");
tabs.onmessage = () => {
  // A tab that cannot ask finds out with its next request.
  void session.restore().catch(() => undefined);
};

/** Takes up a log-in that was just made. */
export function logIn(opened: BrowserSession): void {
  session.adopt(opened);
  tabs.postMessage("begun");
}

/** Ends this log-in, or every log-in of the account. */
export async function logOut(scope: "here" | "everywhere"): Promise<void> {
  try {
    await (scope === "here" ? client.session.close() : client.sessions.logOutEverywhere());
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
  }
  endHere();
}

/** Forgets a log-in that the service has ended with something that was done here. */
export function endHere(): void {
  session.end("here");
  tabs.postMessage("ended");
}
