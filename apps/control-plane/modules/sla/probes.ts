import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { NodeState } from "@securewave/contracts";
import { tunnelsIn } from "./components.ts";
import type { Found } from "./minutes.ts";

export interface ProbeOptions {
  /** Where the service listens; undefined while it does not. */
  readonly addressOf: () => AddressInfo | string | null;
  /** Each node that is to serve, with its region. Fails where the store does not answer. */
  readonly nodes: () => Promise<readonly { readonly region: string; readonly state: NodeState }[]>;
  /** Fails where no letter would be taken. */
  readonly tryMail: () => Promise<void>;
  readonly isSignUpOpen: () => Promise<boolean>;
  /** Share of requests that failed in this quarter of an hour; undefined of too few. */
  readonly errorShare: () => number | undefined;
  readonly onProbed: (milliseconds: number) => void;
}

/** What was found of each part that could be looked at; none where the service does not listen. */
export type Probe = () => Promise<ReadonlyMap<string, Found>>;

const GIVEN_UP_MS = 10_000;
/** From here on somebody is to look: `figures.ts`. */
const SLOW_MS = 1000;
const ERRORS_ALERT = 0.01;
/** A mail server is not to be bothered each minute. */
const MAIL_EVERY_MINUTES = 5;

/** Asks the service as a customer would, and looks at what it stands on. */
export function createProbe(options: ProbeOptions): Probe {
  let mailAsked = 0;
  let mail: Found = "up";

  return async () => {
    const url = urlOf(options.addressOf());
    if (url === undefined) return new Map();
    if (mailAsked++ % MAIL_EVERY_MINUTES === 0 || mail === "down") {
      mail = await within(options.tryMail()).then(
        (): Found => "up",
        (): Found => "down",
      );
    }
    const api = await probeApi(url);
    const found = new Map<string, Found>([
      ["api", api],
      ["mail", mail],
    ]);
    // Both fail where the store does not answer, and then nothing is known of them.
    const [isOpen, nodes] = await Promise.allSettled([
      within(options.isSignUpOpen()),
      within(options.nodes()),
    ]);
    if (isOpen.status === "fulfilled" && isOpen.value)
      found.set("sign-up", api === "up" && mail === "down" ? "degraded" : api);
    if (nodes.status === "fulfilled")
      for (const [region, states] of byRegion(nodes.value)) found.set(tunnelsIn(region), foundOf(states));
    return found;
  };

  async function probeApi(url: string): Promise<Found> {
    const beganMs = performance.now();
    try {
      if ((await statusOf(url)) !== 200) return "down";
    } catch {
      return "down";
    }
    const tookMs = performance.now() - beganMs;
    options.onProbed(tookMs);
    return tookMs >= SLOW_MS || (options.errorShare() ?? 0) >= ERRORS_ALERT ? "degraded" : "up";
  }
}

/** By `node:http`: the first `fetch` of a process takes 25 MB for good, for its parser in WebAssembly. */
async function statusOf(url: string): Promise<number | undefined> {
  const request = get(url, { agent: false, signal: AbortSignal.timeout(GIVEN_UP_MS) });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  await once(response.resume(), "end");
  return response.statusCode;
}

function urlOf(address: AddressInfo | string | null): string | undefined {
  if (address === null || typeof address === "string") return undefined;
  const host = /^(0\.0\.0\.0|::)$/.test(address.address) ? "127.0.0.1" : address.address;
  return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}/api/health/ready`;
}

async function within<Value>(work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("took too long")), GIVEN_UP_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Nodes that join are not there yet, and those that drain are on their way out. */
function byRegion(
  nodes: readonly { readonly region: string; readonly state: NodeState }[],
): ReadonlyMap<string, NodeState[]> {
  const regions = new Map<string, NodeState[]>();
  for (const { region, state } of nodes)
    if (state === "healthy" || state === "degraded" || state === "offline")
      regions.set(region, [...(regions.get(region) ?? []), state]);
  return regions;
}

function foundOf(states: readonly NodeState[]): Found {
  if (states.every((state) => state === "healthy")) return "up";
  return states.every((state) => state === "offline") ? "down" : "degraded";
}
