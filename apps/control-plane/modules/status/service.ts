import type { ComponentState, Incident, ServiceStatus } from "@securewave/contracts";
import { type Clock, DAY_MS } from "@securewave/foundation";
import type { Bus } from "../../bus.ts";
import type { MaintenanceWindows, ServiceMode } from "../maintenance/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import { addMinutes, availabilityOf, inOrder, nameOf, type SlaReport } from "../sla/index.ts";
import type { Incidents } from "./incidents.ts";
import { stateOfDay, stateOfService, worst } from "./state.ts";

export interface StatusOptions {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly settings: SettingsStore;
  readonly sla: Pick<SlaReport, "days" | "latest">;
  readonly incidents: Pick<Incidents, "recent">;
  readonly serviceMode: Pick<ServiceMode, "current">;
  readonly maintenance: Pick<MaintenanceWindows, "open" | "ofComponent">;
  /** Parts of the service that there are at the moment. */
  readonly components: () => Promise<readonly string[]>;
}

export type Status = ReturnType<typeof createStatus>;

const DAYS_SHOWN = 90;
const INCIDENTS_MS = 14 * DAY_MS;
/** Everybody may ask, as often as they like: the store is asked this often at most. */
const FRESH_MS = 10_000;

/** How the service is, for everybody. */
export function createStatus(options: StatusOptions) {
  const { clock, bus, settings, sla, incidents, serviceMode, maintenance, components } = options;
  let held: { readonly value: Promise<ServiceStatus>; readonly untilMs: number } | undefined;
  let known: ServiceStatus | undefined;
  const drop = () => {
    held = undefined;
  };
  bus.subscribe("registry-changed", drop, drop);

  async function load(): Promise<ServiceStatus> {
    const nowMs = clock.now();
    const [{ service_name: service }, { mode }, windows, days, latest, recent, present] = await Promise.all([
      settings.read(),
      serviceMode.current(),
      maintenance.open(),
      sla.days(DAYS_SHOWN),
      sla.latest(),
      incidents.recent(new Date(nowMs - INCIDENTS_MS)),
      components(),
    ]);
    const shown = await Promise.all(
      inOrder(present).map(async (component) => {
        const own = days.get(component) ?? (days.get("api") ?? []).map(emptyDay);
        const isMaintained = (await maintenance.ofComponent(component, nowMs)) !== undefined;
        const state = worst([
          isMaintained ? "maintenance" : (latest.found.get(component) ?? "unknown"),
          ...impactsOn(component, recent),
        ]);
        return {
          component,
          name: nameOf(component),
          state,
          availability: availabilityOf(addMinutes(own.map(({ minutes }) => minutes))),
          days: own.map(({ day, minutes }) => ({
            day,
            minutes,
            state: stateOfDay(minutes),
            availability: availabilityOf(minutes),
          })),
        };
      }),
    );
    return {
      service,
      state: stateOfService(shown),
      mode,
      measured_at: latest.atMs === undefined ? null : new Date(latest.atMs).toISOString(),
      components: shown,
      incidents: recent,
      maintenance: windows,
    };
  }

  return {
    /** At most some seconds old. While the store is away, what was known last, with the API down. */
    async show(): Promise<ServiceStatus> {
      if (held === undefined || held.untilMs < performance.now()) {
        const value = load();
        held = { value, untilMs: performance.now() + FRESH_MS };
        value.catch(drop);
      }
      try {
        known = await held.value;
        return known;
      } catch (error) {
        if (known === undefined) throw error;
        return withoutStore(known);
      }
    },
    changed: drop,
  };
}

function emptyDay({
  day,
  minutes,
}: {
  readonly day: string;
  readonly minutes: { readonly unknown: number };
}) {
  return { day, minutes: { ...NOTHING, unknown: minutes.unknown } };
}
const NOTHING = { up: 0, degraded: 0, down: 0, maintenance: 0, unknown: 0 };

function impactsOn(component: string, incidents: readonly Incident[]): ComponentState[] {
  return incidents
    .filter(({ state }) => state !== "resolved")
    .flatMap(({ components }) => components)
    .filter((one) => one.component === component)
    .flatMap(({ impact }) => (impact === "none" ? [] : [impact]));
}

function withoutStore(known: ServiceStatus): ServiceStatus {
  const components = known.components.map((one) => ({
    ...one,
    state: (one.component === "api" ? "down" : "unknown") as ComponentState,
  }));
  return { ...known, components, state: stateOfService(components) };
}
