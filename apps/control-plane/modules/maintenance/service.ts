import {
  api,
  type BodyOf,
  type Maintenance,
  type MaintenanceMode,
  type MaintenanceNow,
  type Role,
  type RouteSpec,
  requestErrors,
  statusErrors,
} from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, createId, SECOND_MS } from "@securewave/foundation";
import type { Jobs } from "@securewave/jobs";
import type { Bus } from "../../bus.ts";
import { createCache } from "../../cache.ts";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Telemetry } from "../../http/telemetry.ts";
import type { Audit } from "../audit/index.ts";
import type { AnnouncedSpan } from "../sla/index.ts";
import { LETTERS_JOB } from "./letters.ts";
import * as store from "./store.ts";
import {
  changeOf,
  concerns,
  demandTimes,
  isAnnounced,
  NOTICE_MS,
  stateOf,
  strictest,
  viewOf,
  type WindowChange,
  type WindowRow,
} from "./window.ts";

export interface MaintenanceOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly jobs: Pick<Jobs, "send">;
  readonly telemetry: Pick<Telemetry, "gauge">;
  /** As MAINTENANCE_MODE says. */
  readonly configured: MaintenanceMode;
  /** @throws status.no_such_component */
  readonly demandComponents: (components: readonly string[]) => Promise<void>;
}

export type MaintenanceDesk = ReturnType<typeof createMaintenance>;

type NewWindow = BodyOf<typeof api.statusDesk.schedule>;

interface Held {
  readonly switched: MaintenanceMode;
  readonly windows: readonly WindowRow[];
}

/** When nobody said how long it lasts. */
const RETRY_SECONDS = 120;
const RETRY_SECONDS_MAX = 3600;

/** What goes on whatever the mode: telling how the service is, letting staff in, and nodes. */
const ALWAYS_OPEN: ReadonlySet<RouteSpec> = new Set<RouteSpec>([
  api.service.health,
  api.service.healthShort,
  api.service.live,
  api.service.ready,
  api.service.info,
  api.service.setUp,
  api.status.show,
  api.zeroLog.latest,
  api.challenges.issue,
  api.session.open,
  api.session.show,
  api.session.close,
  api.session.passkeyOptions,
  api.session.openWithPasskey,
  api.sessions.logIn,
  api.sessions.refresh,
  api.sessions.logOut,
  api.nodes.join,
]);

/** Maintenance that is announced or switched on, and what customers may do meanwhile. */
export function createMaintenance(options: MaintenanceOptions) {
  const { database, clock, bus, audit, jobs, telemetry, configured, demandComponents } = options;
  const { db } = database;
  const cache = createCache(load, bus);
  const changed = () => bus.publish("registry-changed", "settings");
  /** While the store is away, what was known last holds on. */
  let known: Held = { switched: "off", windows: [] };

  async function load(): Promise<Held> {
    const [switched, windows] = await Promise.all([
      store.readMode(db),
      store.listOpenWindows(db, new Date(clock.now())),
    ]);
    return { switched, windows };
  }

  async function held(): Promise<Held> {
    known = await cache.read().catch(() => known);
    return known;
  }

  function nowOf({ switched, windows }: Held): MaintenanceNow {
    const active = windows.filter((row) => stateOf(row, clock.now()) === "active" && row.mode !== "off");
    const scheduled = strictest(active.map((row) => row.mode));
    const mode = strictest([configured, switched, scheduled]);
    const isBounded = mode !== "off" && strictest([configured, switched]) !== mode;
    const endsMs = Math.max(...active.filter((row) => row.mode === mode).map((row) => +row.ends_at));
    return {
      mode,
      switched,
      configured,
      scheduled,
      ends_at: isBounded ? new Date(endsMs).toISOString() : null,
    };
  }

  const current = async () => nowOf(await held());

  /**
   * Refuses what customers may not do while the service is maintained.
   *
   * @param role undefined of visitors
   * @throws request.maintenance
   */
  async function demandOpen(spec: RouteSpec, role: Role | undefined): Promise<void> {
    if (spec.access === "node" || ALWAYS_OPEN.has(spec)) return;
    if (role !== undefined && role !== "customer") return;
    const now = await current();
    if (now.mode === "closed" || (now.mode === "read-only" && spec.method !== "GET")) throw refusalOf(now);
  }

  function refusalOf({ mode, ends_at }: MaintenanceNow) {
    const seconds = ends_at === null ? RETRY_SECONDS : (Date.parse(ends_at) - clock.now()) / SECOND_MS;
    const retryAfterSeconds = Math.ceil(Math.min(RETRY_SECONDS_MAX, Math.max(1, seconds)));
    return mode === "read-only"
      ? requestErrors.maintenance({
          detail: "The service is under maintenance: you can look at everything, and change nothing.",
          retryAfterSeconds,
        })
      : requestErrors.maintenance({ retryAfterSeconds });
  }

  telemetry.gauge("securewave_maintenance_mode", "0 off, 1 read-only, 2 closed", async () => {
    const { mode } = await current();
    return mode === "off" ? 0 : mode === "read-only" ? 1 : 2;
  });

  return {
    current,
    demandOpen,

    /** For everybody: what holds, and what begins within a day. Undefined where there is neither. */
    async notice() {
      const { windows } = await held();
      const { mode, ends_at } = await current();
      const [next] = windows.filter(
        (row) => +row.ends_at > clock.now() && +row.starts_at <= clock.now() + NOTICE_MS,
      );
      if (mode === "off" && next === undefined) return undefined;
      return {
        mode,
        title: next?.title ?? null,
        starts_at: next?.starts_at.toISOString() ?? null,
        ends_at: mode === "off" ? (next?.ends_at.toISOString() ?? null) : ends_at,
      };
    },

    /** What held when it was last asked for, without asking. */
    isOn: () => nowOf(known).mode !== "off",

    /** @throws request.maintenance while only staff are let in */
    async demandLogIn(role: Role): Promise<void> {
      const now = await current();
      if (now.mode === "closed" && role === "customer") throw refusalOf(now);
    },

    /** Switches it by hand, beside what is configured and scheduled. */
    async switchMode(mode: MaintenanceMode, actor: string): Promise<MaintenanceNow> {
      await database.transaction(async (trx) => {
        await store.writeMode(trx, mode);
        await audit.record(trx, {
          kind: "maintenance_switched",
          actor,
          subject: "service",
          details: { mode },
        });
      });
      changed();
      return current();
    },

    async list(page: PageRequest) {
      const bounds = boundsOf(page, ["integer", "text"]);
      const rows = await store.listWindows(db, bounds);
      return pageOf(
        rows,
        bounds,
        ({ starts_at, id }) => [String(+starts_at), id],
        (row) => viewOf(row, clock.now()),
      );
    },

    /** Those that go on or are to come, the first one first. */
    async open(): Promise<Maintenance[]> {
      const nowMs = clock.now();
      const { windows } = await held();
      return windows.filter((row) => nowMs < +row.ends_at).map((row) => viewOf(row, nowMs));
    },

    /** Whether maintenance of a part goes on, and whether it was announced in time. */
    async ofComponent(component: string, atMs: number): Promise<"announced" | "emergency" | undefined> {
      const { windows } = await held();
      const active = windows.filter((row) => stateOf(row, atMs) === "active" && concerns(row, component));
      if (active.some(isAnnounced)) return "announced";
      return active.length > 0 ? "emergency" : undefined;
    },

    async announced(fromMs: number, toMs: number): Promise<AnnouncedSpan[]> {
      const rows = await store.listWindowsBetween(db, new Date(fromMs), new Date(toMs));
      return rows.filter(isAnnounced).map(({ starts_at, ends_at, components }) => ({
        fromMs: +starts_at,
        toMs: +ends_at,
        components,
      }));
    },

    /** @throws status.no_such_component, status.too_soon, status.wrong_times */
    async schedule(input: NewWindow, actor: string): Promise<Maintenance> {
      const now = new Date(clock.now());
      const row = {
        id: createId("maintenance"),
        title: input.title,
        text: input.text,
        starts_at: new Date(input.starts_at),
        ends_at: new Date(input.ends_at),
        announced_at: now,
        components: input.components ?? [],
        mode: input.mode ?? "off",
        is_emergency: input.is_emergency ?? false,
        notifies: input.notifies ?? true,
      };
      demandTimes(row, +now);
      await demandComponents(row.components);
      const window = await database.transaction(async (trx) => {
        const details = { mode: row.mode };
        await audit.record(trx, { kind: "maintenance_scheduled", actor, subject: row.id, details });
        const inserted = await store.insertWindow(trx, row);
        if (row.notifies) {
          await store.putLetter(trx, row.id, "announced");
          await jobs.send(LETTERS_JOB, {}, trx);
        }
        return inserted;
      });
      changed();
      return viewOf(window, clock.now());
    },

    /**
     * Changes one that has not begun; with other times, it is announced anew.
     *
     * @throws status.maintenance_not_found, status.already_begun, status.no_such_component, status.too_soon,
     *   status.wrong_times
     */
    async reschedule(id: string, input: WindowChange, actor: string): Promise<Maintenance> {
      await demandComponents(input.components ?? []);
      const window = await database.transaction(async (trx) => {
        const before = await store.lockWindow(trx, id);
        if (!before) throw statusErrors.maintenanceNotFound();
        const nowMs = clock.now();
        if (stateOf(before, nowMs) !== "scheduled") throw statusErrors.alreadyBegun();
        const { change, isTold } = changeOf(before, input, nowMs);
        await audit.record(trx, {
          kind: "maintenance_changed",
          actor,
          subject: id,
          details: { names: Object.keys(input) },
        });
        if (before.notifies && isTold) {
          await store.putLetter(trx, id, "changed");
          await store.deleteLetter(trx, id, "reminder");
          await jobs.send(LETTERS_JOB, {}, trx);
        }
        return store.updateWindow(trx, id, {
          ...change,
          ...(isTold ? { announced_at: new Date(nowMs) } : {}),
        });
      });
      changed();
      return viewOf(window, clock.now());
    },

    /** Calls one off; one that goes on ends. @throws status.maintenance_not_found, status.already_begun */
    async cancel(id: string, actor: string): Promise<Maintenance> {
      const window = await database.transaction(async (trx) => {
        const before = await store.lockWindow(trx, id);
        if (!before) throw statusErrors.maintenanceNotFound();
        const nowMs = clock.now();
        const state = stateOf(before, nowMs);
        if (state === "over" || state === "cancelled") throw statusErrors.alreadyBegun();
        await audit.record(trx, { kind: "maintenance_cancelled", actor, subject: id });
        if (state === "active") return store.updateWindow(trx, id, { ends_at: new Date(nowMs) });
        if (before.notifies) {
          await store.putLetter(trx, id, "cancelled");
          await jobs.send(LETTERS_JOB, {}, trx);
        }
        return store.updateWindow(trx, id, { is_cancelled: true });
      });
      changed();
      return viewOf(window, clock.now());
    },
  };
}
