import type { Alert, AlertEpisode } from "@securewave/contracts";
import { alertErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, createId, DAY_MS, MINUTE_MS } from "@securewave/foundation";
import { type AlertRule, alertRules, anchorOf, isWatched } from "@securewave/monitoring";
import type { PageBounds } from "../../http/paging.ts";
import type { Telemetry } from "../../http/telemetry.ts";
import { describeError, type Logger } from "../../logger.ts";
import type { Audit } from "../audit/index.ts";
import type { createHeartbeat } from "./heartbeat.ts";
import { type AlertLetterOptions, defineAlertLetter } from "./letter.ts";
import { createJudge } from "./pending.ts";
import * as store from "./store.ts";

export interface AlertsOptions extends Omit<AlertLetterOptions, "ruleOf"> {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, "samples" | "gauge">;
  readonly heartbeat: ReturnType<typeof createHeartbeat>;
  readonly isWanted: boolean;
}

export type Alerts = ReturnType<typeof createAlerts>;

/** After so long without a judgement, another process takes over. */
const HANDOVER_MS = 3 * MINUTE_MS;
const KEPT_MS = 90 * DAY_MS;
const RUNBOOK = "docs/runbooks/alerts.md";

const RULES: readonly AlertRule[] = alertRules.filter(isWatched);
const RULE_OF = new Map(RULES.map((rule) => [rule.name, rule]));

/**
 * The service's own watch over its figures, for operators without Prometheus. Of several processes one judges, by the
 * figures that it has itself.
 */
export function createAlerts(options: AlertsOptions) {
  const { database, clock, audit, logger, telemetry, heartbeat, isWanted } = options;
  const { db } = database;
  const tell = defineAlertLetter({ ...options, ruleOf: (name) => RULE_OF.get(name) });
  const judge = createJudge(RULES);
  const holder = createId("job");
  let timer: NodeJS.Timeout | undefined;
  let judging: Promise<void> | undefined;
  telemetry.gauge("securewave_alerts_firing", "Alerts of the service's own watch that fire", () =>
    store.countOpen(db),
  );

  /** Judges once; what goes wrong is thrown. */
  async function judgeNow(): Promise<void> {
    const nowMs = clock.now();
    const at = minuteOf(nowMs);
    // Also while another process judges: the window is then full when it is this one's turn.
    const judgements = judge.judge(nowMs, await telemetry.samples());
    if (!(await store.holdWatch(db, holder, at, new Date(at.getTime() - HANDOVER_MS)))) return;
    const open = new Map((await store.listOpen(db)).map((episode) => [episode.name, episode]));
    for (const { rule, fires, isOver } of judgements) {
      const episode = open.get(rule.name);
      open.delete(rule.name);
      if (fires && episode === undefined) await store.begin(db, rule.name, rule.severity, at);
      if (isOver && episode !== undefined) await endEpisode(episode, at);
    }
    for (const ofFormerRelease of open.values()) await endEpisode(ofFormerRelease, at);
    await tellUntold(at);
    if (at.getUTCMinutes() === 0) await store.prune(db, new Date(nowMs - KEPT_MS), new Date(nowMs - DAY_MS));
    await heartbeat
      .beat(nowMs)
      .catch((error: unknown) => logger.warn("alert_heartbeat_failed", describeError(error)));
  }

  async function endEpisode(episode: store.Episode, at: Date): Promise<void> {
    await database.transaction(async (trx) => {
      if (!(await store.end(trx, episode, at))) return;
      if (episode.is_told) await tell(trx, episode.name, "is over");
    });
    logger.info("alert_fires", { internal: `${episode.name} is over` });
  }

  /** What was silenced when it began is told when the silence ends. */
  async function tellUntold(at: Date): Promise<void> {
    const silent = new Set((await store.listSilences(db, at)).map(({ name }) => name));
    for (const episode of await store.listOpen(db)) {
      if (episode.is_told || silent.has(episode.name)) continue;
      await database.transaction(async (trx) => {
        if (await store.markTold(trx, episode)) await tell(trx, episode.name, "fires");
      });
      logger.warn("alert_fires", { internal: episode.name });
    }
  }

  function tick(): void {
    judging ??= database
      .as("worker", judgeNow)
      .catch((error: unknown) => logger.error("alerts_not_judged", describeError(error)))
      .finally(() => {
        judging = undefined;
      });
  }

  async function viewsOf(rules: readonly AlertRule[]): Promise<Alert[]> {
    const at = minuteOf(clock.now());
    const open = new Map((await store.listOpen(db)).map((episode) => [episode.name, episode]));
    const silences = new Map((await store.listSilences(db, at)).map((silence) => [silence.name, silence]));
    return rules.map((rule) => viewOf(rule, open.get(rule.name), silences.get(rule.name)));
  }

  return {
    judge: judgeNow,

    /** Judges every minute from now on. */
    start(): void {
      if (!isWanted) return;
      timer = setInterval(tick, MINUTE_MS);
      timer.unref();
      tick();
    },
    async close(): Promise<void> {
      clearInterval(timer);
      await judging;
    },

    /** Those that fire first, critical ones before others. */
    async list() {
      const views = await viewsOf(RULES);
      const rankOf = ({ state, severity }: Alert) =>
        (state === "firing" ? 0 : 2) + (severity === "critical" ? 0 : 1);
      return {
        judged_at: (await store.judgedAt(db))?.toISOString() ?? null,
        items: views.toSorted((a, b) => rankOf(a) - rankOf(b)),
      };
    },

    history: (bounds: PageBounds) => store.listEpisodes(db, bounds),

    /** @throws alerts.not_found */
    async silence(name: string, minutes: number, reason: string, actor: string): Promise<Alert> {
      const rule = ruleOf(name);
      // At most so long, and never for no time at all.
      const until_at = minuteOf(clock.now() + minutes * MINUTE_MS);
      await database.transaction(async (trx) => {
        await store.setSilence(trx, { name, reason, until_at });
        const details = { alert: name, minutes };
        await audit.record(trx, { kind: "alert_silenced", actor, subject: "service", details });
      });
      const [view] = await viewsOf([rule]);
      return view ?? viewOf(rule, undefined, undefined);
    },

    /** @throws alerts.not_found, alerts.not_silenced */
    async unsilence(name: string, actor: string): Promise<void> {
      ruleOf(name);
      await database.transaction(async (trx) => {
        if (!(await store.deleteSilence(trx, name, minuteOf(clock.now())))) throw alertErrors.notSilenced();
        await audit.record(trx, {
          kind: "alert_unsilenced",
          actor,
          subject: "service",
          details: { alert: name },
        });
      });
    },
  };
}

export function episodeViewOf({ name, severity, began_at, ended_at }: store.Episode): AlertEpisode {
  return {
    name,
    severity,
    began_at: began_at.toISOString(),
    ended_at: ended_at?.toISOString() ?? null,
  };
}

function viewOf(rule: AlertRule, open: store.Episode | undefined, silence: store.Silence | undefined): Alert {
  const { name, severity, summary, advice, forMinutes } = rule;
  return {
    name,
    severity,
    state: open ? "firing" : "quiet",
    summary: `${summary}.`,
    advice,
    for_minutes: forMinutes,
    since: open?.began_at.toISOString() ?? null,
    silence: silence ? { until: silence.until_at.toISOString(), reason: silence.reason } : null,
    runbook: `${RUNBOOK}#${anchorOf(rule)}`,
  };
}

function ruleOf(name: string): AlertRule {
  const rule = RULE_OF.get(name);
  if (rule === undefined) throw alertErrors.notFound();
  return rule;
}

function minuteOf(instantMs: number): Date {
  return new Date(Math.floor(instantMs / MINUTE_MS) * MINUTE_MS);
}
