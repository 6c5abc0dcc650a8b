import { type api, type BodyOf, type Maintenance, statusErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, createId } from "@securewave/foundation";
import type { Jobs } from "@securewave/jobs";
import type { Bus } from "../../bus.ts";
import { createCache } from "../../cache.ts";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Audit } from "../audit/index.ts";
import type { AnnouncedSpan } from "../sla/index.ts";
import { LETTERS_JOB } from "./letters.ts";
import * as store from "./store.ts";
import {
  changeOf,
  concerns,
  demandTimes,
  isAnnounced,
  stateOf,
  viewOf,
  type WindowChange,
  type WindowRow,
} from "./window.ts";

export interface MaintenanceWindowsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly jobs: Pick<Jobs, "send">;
  /** @throws status.no_such_component */
  readonly demandComponents: (components: readonly string[]) => Promise<void>;
}

export type MaintenanceWindows = ReturnType<typeof createMaintenanceWindows>;

type NewWindow = BodyOf<typeof api.statusDesk.schedule>;

/** Maintenance that staff announce: when, of which parts, and the mode that holds meanwhile. */
export function createMaintenanceWindows(options: MaintenanceWindowsOptions) {
  const { database, clock, bus, audit, jobs, demandComponents } = options;
  const { db } = database;
  const cache = createCache(() => store.listOpenWindows(db, new Date(clock.now())), bus);
  const changed = () => bus.publish("registry-changed", "settings");
  /** While the store is away, what was known last holds on. */
  let last: readonly WindowRow[] = [];

  async function held(): Promise<readonly WindowRow[]> {
    last = await cache.read().catch(() => last);
    return last;
  }

  return {
    /** Those that go on or were to come some seconds ago, the first one first. */
    held,

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
      const windows = await held();
      return windows.filter((row) => nowMs < +row.ends_at).map((row) => viewOf(row, nowMs));
    },

    /** Whether maintenance of a part goes on, and whether it was announced in time. */
    async ofComponent(component: string, atMs: number): Promise<"announced" | "emergency" | undefined> {
      const windows = await held();
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
