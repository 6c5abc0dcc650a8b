import type { AddressInfo } from "node:net";
import { statusErrors } from "@securewave/contracts";
import {
  createMaintenanceWindows,
  createServiceMode,
  defineMaintenanceLetters,
} from "../modules/maintenance/index.ts";
import {
  createHistory,
  createMeasuring,
  createProbe,
  createSlaReport,
  defineRollUp,
  inOrder,
  tunnelsIn,
} from "../modules/sla/index.ts";
import { createIncidents, createStatus } from "../modules/status/index.ts";
import type { Ground } from "./ground.ts";
import type { Keys } from "./keys.ts";
import type { People } from "./people.ts";
import type { TunnelRoom } from "./tunnels.ts";

/** How well the service is, what staff say of it, and maintenance. */
export function openServiceLevels(
  ground: Ground,
  { audit }: Keys,
  people: People,
  tunnels: TunnelRoom,
  isBreachOpen: () => Promise<boolean>,
) {
  const { config, database, clock, bus, jobs, telemetry, publicUrl, onTrouble, closing } = ground;
  const { accounts, mail, settings } = people;
  const { nodes } = tunnels;

  async function components(): Promise<string[]> {
    const [all, { registration }] = await Promise.all([nodes.states(), settings.read()]);
    const regions = all.filter(({ state }) => state !== "joining").map(({ region }) => tunnelsIn(region));
    return inOrder(["api", "mail", ...(registration === "open" ? ["sign-up"] : []), ...regions]);
  }
  async function demandComponents(named: readonly string[]): Promise<void> {
    if (named.length === 0) return;
    const known = await components();
    if (!named.every((component) => known.includes(component)))
      throw statusErrors.noSuchComponent({
        detail: `The status page has these components: ${known.join(", ")}.`,
      });
  }

  const maintenance = createMaintenanceWindows({ database, clock, bus, audit, jobs, demandComponents });
  const serviceMode = createServiceMode({
    ...{ database, clock, bus, audit, telemetry, windows: maintenance },
    configured: config.maintenanceMode,
    isBreachOpen,
  });
  defineMaintenanceLetters({ database, clock, jobs, accounts, mail, settings, publicUrl });
  const history = createHistory(database, clock);
  const sla = createSlaReport({ database, clock, telemetry, history });
  const rollUp = defineRollUp({ database, clock, jobs, history, announced: maintenance.announced });

  let addressOf: () => AddressInfo | string | null = () => null;
  const measuring = createMeasuring({
    database,
    clock,
    queries: telemetry.queryTotals,
    isMaintained: async (component, atMs) => (await maintenance.ofComponent(component, atMs)) === "announced",
    onTrouble,
    probe: createProbe({
      addressOf: () => addressOf(),
      nodes: nodes.states,
      tryMail: mail.verify,
      isSignUpOpen: async () => (await settings.read()).registration === "open",
      errorShare: () => measuring.errorShare(),
      onProbed: (milliseconds) => measuring.noteProbe(milliseconds),
    }),
  });
  closing.defer(measuring.close);

  const incidents = createIncidents({
    ...{ database, clock, audit, demandComponents },
    onChanged: () => bus.publish("registry-changed", "settings"),
  });
  const status = createStatus({ clock, bus, settings, sla, incidents, serviceMode, maintenance, components });

  return {
    serviceMode,
    maintenance,
    sla,
    rollUp,
    incidents,
    status,
    measuring: {
      measure: measuring.measure,
      observeRequests: measuring.observeRequests,
      /** @param of where the service listens, null while it does not */
      start(of: () => AddressInfo | string | null): void {
        addressOf = of;
        measuring.start();
      },
    },
  };
}
