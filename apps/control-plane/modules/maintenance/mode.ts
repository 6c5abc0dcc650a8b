import {
  api,
  type MaintenanceMode,
  type MaintenanceNow,
  type Role,
  type RouteSpec,
  requestErrors,
} from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, SECOND_MS } from "@securewave/foundation";
import type { Bus } from "../../bus.ts";
import { createCache } from "../../cache.ts";
import type { Telemetry } from "../../http/telemetry.ts";
import type { Audit } from "../audit/index.ts";
import * as store from "./store.ts";
import { NOTICE_MS, stateOf, strictest, type WindowRow } from "./window.ts";
import type { MaintenanceWindows } from "./windows.ts";

export interface ServiceModeOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly windows: Pick<MaintenanceWindows, "held">;
  /** As MAINTENANCE_MODE says. */
  readonly configured: MaintenanceMode;
  /** An open breach lets in nobody but staff. */
  readonly isBreachOpen: () => Promise<boolean>;
}

export type ServiceMode = ReturnType<typeof createServiceMode>;

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

/** What is kept in the store and changed by staff alone. */
type Kept = Pick<MaintenanceNow, "switched" | "breach">;

/**
 * What customers may do while the service is maintained: the strictest of what is configured, switched, scheduled, and
 * demanded by a breach.
 */
export function createServiceMode(options: ServiceModeOptions) {
  const { database, clock, bus, audit, telemetry, windows, configured, isBreachOpen } = options;
  const cache = createCache(load, bus);
  /** While the store is away, what was known last holds on. */
  let keptLast: Kept = { switched: "off", breach: "off" };

  async function load(): Promise<Kept> {
    const [switched, isBreached] = await Promise.all([store.readMode(database.db), isBreachOpen()]);
    return { switched, breach: isBreached ? "closed" : "off" };
  }
  async function readKept(): Promise<Kept> {
    keptLast = await cache.read().catch(() => keptLast);
    return keptLast;
  }

  function nowOf({ switched, breach }: Kept, open: readonly WindowRow[]): MaintenanceNow {
    const active = open.filter((row) => stateOf(row, clock.now()) === "active" && row.mode !== "off");
    const scheduled = strictest(active.map((row) => row.mode));
    const lasting = strictest([configured, switched, breach]);
    const mode = strictest([lasting, scheduled]);
    const isBounded = mode !== lasting;
    const endsMs = Math.max(...active.filter((row) => row.mode === mode).map((row) => +row.ends_at));
    return {
      mode,
      switched,
      configured,
      scheduled,
      breach,
      ends_at: isBounded ? new Date(endsMs).toISOString() : null,
    };
  }

  async function current(): Promise<MaintenanceNow> {
    const [kept, open] = await Promise.all([readKept(), windows.held()]);
    return nowOf(kept, open);
  }

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
      const open = await windows.held();
      const { mode, ends_at } = await current();
      const [next] = open.filter(
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

    /** @throws request.maintenance while only staff are let in */
    async demandLogIn(role: Role): Promise<void> {
      const now = await current();
      if (now.mode === "closed" && role === "customer") throw refusalOf(now);
    },

    /** Switches it by hand, beside all else that closes the service. */
    async switchTo(mode: MaintenanceMode, actor: string): Promise<MaintenanceNow> {
      await database.transaction(async (trx) => {
        await store.writeMode(trx, mode);
        await audit.record(trx, {
          kind: "maintenance_switched",
          actor,
          subject: "service",
          details: { mode },
        });
      });
      bus.publish("registry-changed", "settings");
      return current();
    },
  };
}
