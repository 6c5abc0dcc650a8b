import { createId, HOUR_MS } from "@securewave/foundation";
import type { ServiceMinutes, SlaMonth, SlaSeries } from "../sla.ts";
import {
  type ComponentState,
  type Incident,
  type Maintenance,
  type MaintenanceMode,
  type MaintenanceNow,
  type ServiceStatus,
  statusErrors,
} from "../status.ts";
import { type FakeCall, type Mutable, pageOf } from "./fake-call.ts";

const DAY_MINUTES = 1440;
const COMPONENTS = [
  ["api", "API and console"],
  ["sign-up", "Sign-up"],
  ["mail", "Mail"],
  ["tunnels/us-east", "Tunnels: us-east"],
] as const;

export interface FakeStatus {
  nowMs: number;
  switched: MaintenanceMode;
  /** Whether somebody got in, and customers are kept out. */
  isBreached: boolean;
  readonly incidents: Mutable<Incident>[];
  readonly windows: Mutable<Maintenance>[];
  /** Of each part; one that is not here works. */
  readonly states: Map<string, ComponentState>;
}

export function createFakeStatus(nowMs = Date.parse("2026-11-20T12:00:00Z")): FakeStatus {
  return { nowMs, switched: "off", isBreached: false, incidents: [], windows: [], states: new Map() };
}

const minutes = (up: number, down = 0, unknown = 0): ServiceMinutes => ({
  up,
  degraded: 0,
  down,
  maintenance: 0,
  unknown,
});
const FIGURES = {
  mean_ms: 41.3,
  p95_ms: 120,
  error_share: 0.0004,
  probe_ms: 3.2,
  query_ms: 2.1,
  processor: 0.34,
  memory: 0.61,
};

const KNOWN_MONTH: SlaMonth = {
  month: "2026-11",
  months: ["2026-11", "2026-10"],
  measured_since: "2026-10-03",
  components: COMPONENTS.map(([component, name]) => ({
    component,
    name,
    minutes: minutes(28_770, 20, 10),
    availability: 28_770 / 28_790,
    availability_at_least: 28_770 / 28_800,
  })),
  budget: { minutes: 43.2, spent_minutes: 20, unknown_minutes: 10, left: 0.537 },
  figures: [
    { name: "availability", value: 28_770 / 28_790, target: 0.999, alert: 0.995, state: "met" },
    { name: "mean_ms", value: 41.3, target: 200, alert: 500, state: "met" },
    { name: "memory", value: 0.83, target: 0.8, alert: 0.9, state: "missed" },
  ],
  days: Array.from({ length: 20 }, (_, day) => ({
    day: `2026-11-${String(day + 1).padStart(2, "0")}`,
    minutes: day === 6 ? minutes(1410, 20, 10) : minutes(DAY_MINUTES),
    availability: day === 6 ? 1410 / 1430 : 1,
    ...FIGURES,
    mean_ms: day === 6 ? null : 30 + day,
  })),
};

function unknownMonth(month: string): SlaMonth {
  return {
    ...KNOWN_MONTH,
    month,
    components: KNOWN_MONTH.components.map((one) => ({
      ...one,
      minutes: minutes(0),
      availability: null,
      availability_at_least: null,
    })),
    budget: { minutes: 43.2, spent_minutes: 0, unknown_minutes: 0, left: null },
    figures: KNOWN_MONTH.figures.map((one) => ({ ...one, value: null, state: "unknown" })),
    days: [],
  };
}

/** The routes of service levels, the status page and maintenance, answered from memory. */
export function statusHandlers(state: FakeStatus) {
  const at = (ms = state.nowMs) => new Date(ms).toISOString();

  function incident({ params }: FakeCall): Mutable<Incident> {
    const found = state.incidents.find(({ id }) => id === params.id);
    if (!found) throw statusErrors.incidentNotFound();
    return found;
  }
  function ofUpdate({ params }: FakeCall): Mutable<Incident> {
    const found = state.incidents.find(({ updates }) => updates.some(({ id }) => id === params.id));
    if (!found) throw statusErrors.updateNotFound();
    return found;
  }
  function post(
    one: Mutable<Incident>,
    { state: to, text }: Pick<Incident["updates"][number], "state" | "text">,
  ) {
    const update = { id: createId("incidentUpdate"), state: to, text, posted_at: at(), is_edited: false };
    one.updates = [update, ...one.updates];
    one.state = to;
    one.resolved_at = to === "resolved" ? at() : null;
    return one;
  }
  function maintenanceNow(): MaintenanceNow {
    return {
      mode: state.isBreached ? "closed" : state.switched,
      switched: state.switched,
      configured: "off",
      scheduled: "off",
      breach: state.isBreached ? "closed" : "off",
      ends_at: null,
    };
  }

  return {
    "sla.month": ({ query }: FakeCall): SlaMonth => {
      const month = String(query.month ?? at().slice(0, 7));
      return month === "2026-11" ? KNOWN_MONTH : unknownMonth(month);
    },
    "sla.series": (): SlaSeries => ({
      items: Array.from({ length: 8 }, (_, quarter) => ({
        starts_at: at(state.nowMs - (8 - quarter) * (HOUR_MS / 4)),
        minutes: minutes(15),
        availability: 1,
        ...FIGURES,
      })),
    }),
    "status.show": (): ServiceStatus => {
      const components = COMPONENTS.map(([component, name]) => ({
        component,
        name,
        state: state.states.get(component) ?? ("up" as const),
        availability: 0.9997,
        days: Array.from({ length: 90 }, (_, day) => ({
          day: at(state.nowMs - (89 - day) * 24 * HOUR_MS).slice(0, 10),
          state: "up" as const,
          minutes: minutes(DAY_MINUTES),
          availability: 1,
        })),
      }));
      return {
        service: "SecureWave",
        state: components.find((one) => one.state !== "up")?.state ?? "up",
        mode: state.switched,
        measured_at: at(),
        components,
        incidents: state.incidents,
        maintenance: state.windows.filter((one) => one.state === "scheduled" || one.state === "active"),
      };
    },
    "statusDesk.incidents": ({ query }: FakeCall) => pageOf(state.incidents, query),
    "statusDesk.openIncident": ({ body }: FakeCall): Incident => {
      const {
        title,
        text,
        components = [],
        state: to = "investigating",
      } = body as Partial<Incident> & {
        text: string;
      };
      const opened: Mutable<Incident> = {
        id: createId("incident"),
        title: String(title),
        state: to,
        components,
        opened_at: at(),
        resolved_at: null,
        updates: [],
      };
      state.incidents.unshift(post(opened, { state: to, text }));
      return opened;
    },
    "statusDesk.changeIncident": (call: FakeCall): Incident => Object.assign(incident(call), call.body),
    "statusDesk.removeIncident": (call: FakeCall) => {
      state.incidents.splice(state.incidents.indexOf(incident(call)), 1);
      return null;
    },
    "statusDesk.updateIncident": (call: FakeCall): Incident => {
      const one = incident(call);
      if (one.state === "resolved") throw statusErrors.alreadyResolved();
      return post(one, call.body as Incident["updates"][number]);
    },
    "statusDesk.changeUpdate": (call: FakeCall): Incident => {
      const one = ofUpdate(call);
      one.updates = one.updates.map((update) =>
        update.id === call.params.id ? { ...update, text: String(call.body.text), is_edited: true } : update,
      );
      return one;
    },
    "statusDesk.removeUpdate": (call: FakeCall): Incident => {
      const one = ofUpdate(call);
      if (one.updates.length === 1) throw statusErrors.onlyUpdate();
      one.updates = one.updates.filter(({ id }) => id !== call.params.id);
      one.state = one.updates[0]?.state ?? one.state;
      return one;
    },
    "statusDesk.maintenance": maintenanceNow,
    "statusDesk.switchMode": ({ body }: FakeCall): MaintenanceNow => {
      state.switched = body.mode as MaintenanceMode;
      return maintenanceNow();
    },
    "statusDesk.windows": ({ query }: FakeCall) => pageOf(state.windows, query),
    "statusDesk.schedule": ({ body }: FakeCall): Maintenance => {
      const input = body as Pick<Maintenance, "title" | "text" | "starts_at" | "ends_at"> &
        Partial<Maintenance>;
      const isSoon = Date.parse(input.starts_at) - state.nowMs < 24 * HOUR_MS;
      if (isSoon && input.is_emergency !== true) throw statusErrors.tooSoon();
      const window: Mutable<Maintenance> = {
        mode: "off",
        components: [],
        is_emergency: false,
        notifies: true,
        ...input,
        id: createId("maintenance"),
        starts_at: at(Date.parse(input.starts_at)),
        ends_at: at(Date.parse(input.ends_at)),
        announced_at: at(),
        state: "scheduled",
      };
      state.windows.unshift(window);
      return window;
    },
    "statusDesk.reschedule": ({ params, body }: FakeCall): Maintenance => {
      const window = state.windows.find(({ id }) => id === params.id);
      if (!window) throw statusErrors.maintenanceNotFound();
      if (window.state !== "scheduled") throw statusErrors.alreadyBegun();
      const changed = { ...window, ...(body as Partial<Maintenance>) };
      const [startsMs, endsMs] = [Date.parse(changed.starts_at), Date.parse(changed.ends_at)];
      if (endsMs <= startsMs) throw statusErrors.wrongTimes();
      const isMoved = startsMs !== Date.parse(window.starts_at) || endsMs > Date.parse(window.ends_at);
      if (isMoved && !changed.is_emergency && startsMs - state.nowMs < 24 * HOUR_MS)
        throw statusErrors.tooSoon();
      return Object.assign(window, changed);
    },
    "statusDesk.cancel": ({ params }: FakeCall): Maintenance => {
      const window = state.windows.find(({ id }) => id === params.id);
      if (!window) throw statusErrors.maintenanceNotFound();
      if (window.state === "cancelled") throw statusErrors.alreadyBegun();
      return Object.assign(window, { state: "cancelled" });
    },
  };
}
