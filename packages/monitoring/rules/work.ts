import type { AlertRule } from "../rule.ts";
import { gaugeRule } from "./gauge-rule.ts";

const DAY_SECONDS = 86_400;
/** With a backup a day, half a day more is one that did not come. */
const BACKUP_AGE_SECONDS = 1.5 * DAY_SECONDS;

const FAILED_ATTEMPTS = "securewave_jobs_failed_total";
const ATTEMPT_MINUTES = 10;
const failedAttempts = (perMinute: number) => [
  { metric: FAILED_ATTEMPTS, labels: { job: "account-mail" }, from: 0, step: perMinute },
];

/** Work that the clock brings: jobs, backups, the search for traces. */
export const workRules: readonly AlertRule[] = [
  gaugeRule("jobs", {
    name: "JobOverdue",
    severity: "warning",
    metric: "securewave_jobs_overdue",
    above: 0,
    forMinutes: 10,
    summary: "A job that the clock brings is overdue",
    advice: "`securewave jobs list` names it; see in the log for job_failed why, then run it.",
  }),
  gaugeRule("jobs", {
    name: "JobsGivenUp",
    severity: "warning",
    metric: "securewave_jobs_dead_letters",
    above: 0,
    forMinutes: 1,
    summary: "A job was given up after all its attempts",
    advice: "`securewave jobs dead` lists them; mend the cause, then retry or discard them.",
  }),
  {
    name: "JobAttemptsFail",
    group: "jobs",
    severity: "warning",
    when: { quantity: { kind: "growth", metric: FAILED_ATTEMPTS, minutes: ATTEMPT_MINUTES }, above: 25 },
    forMinutes: 5,
    summary: "More than 25 attempts of jobs failed within ten minutes",
    advice: "`securewave jobs list` shows which and why; they are tried again, and given up at last.",
    fires: failedAttempts(3),
    quiet: failedAttempts(2),
  },
  gaugeRule("backups", {
    name: "BackupOld",
    severity: "critical",
    metric: "securewave_backup_database_age_seconds",
    above: BACKUP_AGE_SECONDS,
    forMinutes: 10,
    summary: "The newest backup of the database is older than a day and a half",
    advice: "`securewave backup status` says why; `securewave backup run` makes one now.",
  }),
  gaugeRule("backups", {
    name: "ConfigBackupOld",
    severity: "warning",
    metric: "securewave_backup_config_age_seconds",
    above: BACKUP_AGE_SECONDS,
    forMinutes: 10,
    summary: "The newest backup of the settings is older than a day and a half",
    advice: "`securewave backup status` says why; `securewave backup run` makes one now.",
  }),
  gaugeRule("backups", {
    name: "VpnBackupOld",
    severity: "warning",
    metric: "securewave_backup_vpn_age_seconds",
    above: BACKUP_AGE_SECONDS,
    forMinutes: 10,
    summary: "The newest backup of the VPN servers' configurations is older than a day and a half",
    advice: "`securewave backup status` says why; `securewave backup run` makes one now.",
  }),
  gaugeRule("backups", {
    name: "BackupBroken",
    severity: "critical",
    metric: "securewave_backup_failed",
    above: 0,
    forMinutes: 5,
    summary:
      "The last work on backups failed, the archive stopped or has a gap, or the last verification found damage",
    advice: "`securewave backup status` names it; until a backup is verified again, count on none.",
  }),
  gaugeRule("backups", {
    name: "ArchiveLags",
    severity: "critical",
    metric: "securewave_backup_archive_lag_seconds",
    above: 300,
    forMinutes: 5,
    summary: "More than five minutes of what was written are in no backup yet",
    advice:
      "See whether the backups' target can be reached and has room; what is not there would be lost with the disk.",
  }),
  gaugeRule("backups", {
    name: "BackupUnverified",
    severity: "warning",
    metric: "securewave_backup_verified_age_seconds",
    above: 35 * DAY_SECONDS,
    forMinutes: 15,
    summary: "No backup was restored and found good for 35 days",
    advice: "`securewave backup verify` restores the newest into a scratch instance and checks it.",
  }),
  gaugeRule("drills", {
    name: "DrillOld",
    severity: "warning",
    metric: "securewave_drill_age_days",
    above: 100,
    forMinutes: 15,
    summary: "No drill met its targets for more than 100 days",
    advice: "`securewave drill database-corruption` carries one out on a copy and records what it measured.",
  }),
  gaugeRule("zero-log", {
    name: "TracesFound",
    severity: "critical",
    metric: "securewave_zero_log_hits",
    above: 0,
    forMinutes: 1,
    summary: "The search for traces of made-up customers found some",
    advice: "Read the newest report at /zero-log: it names the surface; stop what writes there.",
  }),
  gaugeRule("zero-log", {
    name: "ProofOld",
    severity: "warning",
    metric: "securewave_zero_log_proof_days",
    above: 2,
    forMinutes: 15,
    summary: "No search for more than two days found that nothing is kept",
    advice: "`securewave audit zero-log` searches now and shows what hinders it.",
  }),
];
