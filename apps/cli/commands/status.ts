import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { ApiError, type api, type Client, type Node, type ResultOf } from "@securewave/contracts";
import type { Perform } from "../call.ts";
import { EXIT } from "../failure.ts";
import { type Output, plain, type Style } from "../output.ts";
import { readPages } from "../paging.ts";
import { countStates, NODE_STATE_STYLES, renderTroubles, troublesOf } from "./node-views.ts";

type Health = ResultOf<typeof api.service.health>;
type Totals = ResultOf<typeof api.fleetDevices.totals>;

/** What only staff can see. */
interface Fleet {
  readonly totals: Totals;
  readonly nodes: readonly Node[];
}

interface Status {
  readonly url: string;
  readonly name: string;
  readonly setupNeeded: boolean;
  readonly health: Health;
  /** A sentence in its place where the log-in is missing or does not allow it. */
  readonly fleet: Fleet | string;
}

const HEALTH_STYLES: Readonly<Record<Health["status"], Style>> = {
  healthy: "green",
  degraded: "yellow",
  unhealthy: "red",
};

export function addStatusCommand(program: CommandUnknownOpts, perform: Perform): void {
  program
    .command("status")
    .description("show how the service is; exit code 1 when it is unhealthy")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave status
  $ securewave status --url https://vpn.example.org --json`,
    )
    .action(() =>
      perform(async ({ connect, out }) => {
        const { url, client } = await connect();
        const [health, info] = await Promise.all([client.service.health(), client.service.info()]);
        const fleet = await readFleet(client);
        const status = { url, name: info.name, setupNeeded: info.setup_needed, health, fleet };
        out.result(jsonOf(status), () => render(out, status));
        return health.status === "unhealthy" ? EXIT.failed : undefined;
      }),
    );
}

async function readFleet(client: Client): Promise<Fleet | string> {
  try {
    const totals = await client.fleetDevices.totals();
    const { items } = await readPages((query) => client.nodes.list({ query }), Number.POSITIVE_INFINITY);
    return { totals, nodes: items };
  } catch (error) {
    if (error instanceof ApiError && error.status === 401)
      return "Log in to see the totals: securewave login";
    if (error instanceof ApiError && error.status === 403)
      return "The totals are for support agents and admins.";
    if (error instanceof ApiError && error.status >= 500)
      return `The totals cannot be read: ${plain(error.message)}`;
    throw error;
  }
}

function jsonOf({ url, name, setupNeeded, health, fleet }: Status): object {
  const seen = typeof fleet === "string" ? undefined : fleet;
  return {
    url,
    name,
    setup_needed: setupNeeded,
    health,
    totals: seen?.totals ?? null,
    nodes_by_state: seen === undefined ? null : Object.fromEntries(countStates(seen.nodes)),
    problems:
      seen === undefined
        ? null
        : troublesOf(seen.nodes).map(({ id, name, state, problem }) => ({ id, name, state, problem })),
  };
}

function render(out: Output, { url, name, setupNeeded, health, fleet }: Status): string {
  const { checks } = health;
  const title = `${out.style("bold", plain(name))} at ${url} is ${out.style(HEALTH_STYLES[health.status], health.status)}`;
  const parts = [
    title,
    out.fields([
      ["Database", plain(checks.database)],
      ["Redis", plain(checks.redis)],
      ["VPN servers", plain(checks.vpn_servers)],
    ]),
  ];
  if (setupNeeded)
    parts.push("There is no admin yet: open the set-up link that SecureWave printed when it started.");
  if (typeof fleet === "string") parts.push(fleet);
  else parts.push(...renderFleet(out, fleet));
  return parts.join("\n\n");
}

function renderFleet(out: Output, { totals, nodes }: Fleet): string[] {
  const states = countStates(nodes)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => out.style(NODE_STATE_STYLES[state], `${count} ${state}`));
  const parts = [
    out.fields([
      ["Accounts", String(totals.accounts)],
      ["Devices", `${totals.devices_active} active, ${totals.devices_revoked} revoked`],
      ["Connected", totals.connected],
      ["Addresses", `${totals.addresses_in_use} of ${totals.addresses_total} in use`],
      ["Nodes", states.length === 0 ? "none" : states.join(", ")],
    ]),
  ];
  const troubles = renderTroubles(out, nodes);
  if (troubles !== undefined) parts.push(troubles);
  return parts;
}
