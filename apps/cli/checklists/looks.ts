import type { SlaFigure } from "@securewave/contracts";
import { DAY_MS, dayOf, HOUR_MS } from "@securewave/foundation";
import { FIGURE_NAMES, figure } from "../commands/sla.ts";
import { counted } from "../human.ts";
import type { Facts } from "./facts.ts";

/** What a machine found. */
export interface Found {
  /** Undefined where nothing tells. */
  readonly isWell: boolean | undefined;
  readonly says: string;
}

export type Look = (facts: Facts) => Promise<Found>;

const found = (isWell: boolean | undefined, says: string): Found => ({ isWell, says });
/** One that is poor is to be looked at; where none is known to be well, nothing tells. */
const verdict = (isPoor: boolean, isKnown: boolean) => (isPoor ? false : isKnown || undefined);
/** Full nodes take nobody, and a failed one's devices need room elsewhere. */
const ROOM_LEFT = 0.2;
const BACKUP_HOURS_MAX = 26;
const VERIFIED_DAYS_MAX = 35;

export const serviceIsHealthy: Look = async ({ health }) => {
  const { status, checks } = await health();
  const poor = checks
    .filter(({ state }) => state !== "well" && state !== "unknown")
    .map(({ title, says }) => `${title}: ${says}`);
  return found(status === "healthy", poor.length === 0 ? status : `${status}; ${poor.join("; ")}`);
};

/** @param pattern of the ids of health's checks */
export function healthOf(pattern: RegExp): Look {
  return async ({ health }) => {
    const checks = (await health()).checks.filter(({ id }) => pattern.test(id));
    if (checks.length === 0) return found(true, "this service has nothing of the kind to watch");
    const isPoor = checks.some(({ state }) => state === "warning" || state === "failing");
    const isKnown = checks.some(({ state }) => state === "well");
    return found(verdict(isPoor, isKnown), checks.map(({ title, says }) => `${title}: ${says}`).join("; "));
  };
}

export const nothingFires: Look = async ({ alerts }) => {
  const firing = (await alerts()).filter(({ state }) => state === "firing");
  return found(firing.length === 0, firing.map(({ name }) => name).join(", ") || "no alert fires");
};

/** @param days how far back */
export function quietSince(days: number): Look {
  return async ({ alertHistory, nowMs }) => {
    const since = new Date(nowMs - days * DAY_MS).toISOString();
    const names = (await alertHistory())
      .filter(({ ended_at }) => ended_at === null || ended_at >= since)
      .map(({ name }) => name);
    const kinds = [...new Set(names)];
    return found(kinds.length === 0, kinds.length === 0 ? "no alert fired" : `fired: ${kinds.join(", ")}`);
  };
}

export const jobsAreInTime: Look = async ({ jobs }) => {
  const poor = (await jobs()).filter(({ is_overdue, dead }) => is_overdue || dead > 0);
  const texts = poor.map(({ name, dead }) =>
    dead > 0 ? `${name} was given up ${dead} times` : `${name} is late`,
  );
  return found(poor.length === 0, texts.join("; ") || "all ran");
};

export const backupsAreFresh: Look = async ({ backups, nowMs }) => {
  const { is_on, newest, archive, is_on_stores_disk } = await backups();
  if (!is_on) return found(false, "backups are switched off");
  const old = newest
    .filter(({ backup }) => !backup || nowMs - Date.parse(backup.taken_at) > BACKUP_HOURS_MAX * HOUR_MS)
    .map(({ kind }) => `no backup of ${kind} within ${BACKUP_HOURS_MAX} hours`);
  const problems = [
    ...old,
    ...(archive.problem === null ? [] : [archive.problem]),
    ...(is_on_stores_disk ? ["they lie on the disk of the store: set BACKUP_TARGET to another one"] : []),
  ];
  const until = archive.restorable_to ? `; restorable to ${archive.restorable_to}` : "";
  return found(problems.length === 0, problems.join("; ") || `one of each kind since yesterday${until}`);
};

export const backupsWereVerified: Look = async ({ backups, nowMs }) => {
  const { last_verification: last } = await backups();
  if (!last) return found(false, "no backup was ever restored to be verified");
  const days = Math.floor((nowMs - Date.parse(last.verified_at)) / DAY_MS);
  return found(
    last.outcome === "passed" && days <= VERIFIED_DAYS_MAX,
    `${last.outcome} ${counted(days, "day")} ago`,
  );
};

/** @param names of the service levels that are looked at */
export function levelsHold(names: readonly SlaFigure["name"][]): Look {
  return async ({ sla }) => {
    const figures = (await sla()).figures.filter(({ name }) => names.includes(name));
    const texts = figures.map(
      ({ name, value, target }) =>
        `${FIGURE_NAMES[name]} ${figure(name, value)} (target ${figure(name, target)})`,
    );
    const isPoor = figures.some(({ state }) => state === "missed" || state === "alarming");
    const isKnown = figures.some(({ state }) => state === "met");
    return found(verdict(isPoor, isKnown), texts.join("; ") || "not measured");
  };
}

export const budgetIsLeft: Look = async ({ sla }) => {
  const { left, spent_minutes, unknown_minutes } = (await sla()).budget;
  if (left === null) return found(undefined, "nothing was measured yet");
  const share = `${Math.round(left * 100)} % of the error budget is left`;
  return found(left > 0, `${share}; ${spent_minutes} min down, ${unknown_minutes} min unknown`);
};

export const nodesServe: Look = async ({ nodes }) => {
  const poor = (await nodes()).filter(({ state }) => state === "degraded" || state === "offline");
  const texts = poor.map(({ name, state, problem }) => `${name} is ${state}${problem ? `: ${problem}` : ""}`);
  return found(poor.length === 0, texts.join("; ") || "every node serves");
};

export const nodesHaveRoom: Look = async ({ nodes }) => {
  const serving = (await nodes()).filter(({ state }) => state === "healthy" || state === "degraded");
  const full = serving.filter(({ devices, capacity }) => devices > capacity * (1 - ROOM_LEFT));
  const texts = full.map(({ name, devices, capacity }) => `${name} has ${devices} of ${capacity}`);
  return found(full.length === 0, texts.join("; ") || "every node has a fifth of its room left");
};

export const fewAreBlocked: Look = async ({ blocks }) => {
  const { length } = await blocks();
  return found(length < 100, `${length === 100 ? "100 or more" : length} origins are blocked`);
};

export const requestsAreInTime: Look = async ({ requests, nowMs }) => {
  const open = await requests();
  const late = open.filter(({ due_on }) => due_on < dayOf(nowMs));
  return found(late.length === 0, `${counted(open.length, "request")} open, ${late.length} past their day`);
};

/** @param scenarios each must have met its targets within so many days */
export function drilledWithin(days: number, scenarios: readonly string[]): Look {
  return async ({ drills, nowMs }) => {
    const since = dayOf(nowMs - days * DAY_MS);
    const met = new Set(
      (await drills())
        .filter(({ outcome, carried_out_on }) => outcome === "met" && carried_out_on >= since)
        .map(({ scenario }) => scenario as string),
    );
    const missing = scenarios.filter((scenario) => !met.has(scenario));
    const says =
      missing.length === 0 ? "all met their targets" : `not within ${days} days: ${missing.join(", ")}`;
    return found(missing.length === 0, says);
  };
}

export const nothingIsKept: Look = async ({ zeroLog, nowMs }) => {
  const report = await zeroLog();
  if (!report) return found(false, "no search was made yet");
  const isFresh = Date.parse(dayOf(nowMs)) - Date.parse(report.made_on) <= 2 * DAY_MS;
  return found(report.outcome === "clean" && isFresh, `${report.outcome}, of ${report.made_on}`);
};

export const staffActedToday: Look = async ({ acts, nowMs }) => {
  const kinds = (await acts(dayOf(nowMs - DAY_MS))).flatMap(({ body }) =>
    body && /changed|created|removed|rotated|joined|ended|restored/.test(body.kind) ? [body.kind] : [],
  );
  return found(true, [...new Set(kinds)].join(", ") || "nothing was changed since yesterday");
};

export const accountsOfTheWeek: Look = async ({ acts, nowMs }) => {
  const made = (await acts(dayOf(nowMs - 7 * DAY_MS))).filter(
    ({ body }) => body?.kind === "account_created" || body?.kind === "account_changed",
  );
  return found(
    true,
    `staff made or changed ${counted(made.length, "account")}; securewave audit list shows them`,
  );
};

export const incidentIsPosted: Look = async ({ incidents }) => {
  const open = (await incidents()).filter(({ state }) => state !== "resolved");
  return found(
    open.length > 0,
    open.map(({ title }) => title).join("; ") || "nothing is posted on the status page",
  );
};

export const breachIsOpen: Look = async ({ breach }) => {
  const newest = await breach();
  const isOpen = newest?.closed_at === null;
  return found(
    true,
    isOpen ? `open: ${newest.summary}` : "no breach is open: securewave breach start opens one",
  );
};

export const severity: Look = async ({ health, alerts }) => {
  const { status } = await health();
  const isCritical = (await alerts()).some(
    (alert) => alert.state === "firing" && alert.severity === "critical",
  );
  if (status === "unhealthy") return found(false, "P0: the service is down. Act at once");
  if (isCritical || status === "degraded") return found(false, "P1: it serves poorly. Act within an hour");
  return found(true, "P2 at most: it serves. Act within four hours");
};
