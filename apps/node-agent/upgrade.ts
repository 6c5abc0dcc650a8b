import { MINUTE_MS, SECOND_MS } from "@securewave/foundation";
import { describeError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Installation } from "./upgrade-installation.ts";
import { downloadArchive, type ReleaseSource, readRelease } from "./upgrade-release.ts";
import { AGENT_VERSION, isNewer } from "./version.ts";

/** A fleet fetches its updates within an hour, and not all at once. */
export const UPGRADE_WITHIN_SECONDS = 3600;
/** A node that is not let in with the version it has gets another soon. */
const OUTDATED_WITHIN_MS = MINUTE_MS;
const TRIAL_MS = 2 * MINUTE_MS;
const RETRY_LEAST_MS = MINUTE_MS;

export interface UpgradeOptions extends ReleaseSource {
  /** Without it, or where updates are not wanted, the log says that there is one. */
  readonly installation: Installation | undefined;
  /** The longest wait, in seconds, of which a random share is waited. */
  readonly withinSeconds?: number;
  readonly log: Log;
  /** From 0 to 1. */
  readonly random?: () => number;
  readonly trialMs?: number;
}

/** Why the agent is to end: another version takes over, or this one, on trial, did not reach its control plane. */
export type UpgradeEnd = "upgraded" | "trial-failed";

export interface Upgrade {
  /** Begins the trial of a version that was just switched to. */
  start(): Promise<void>;
  onRelease(version: string): void;
  onOutdated(): void;
  readonly ended: Promise<UpgradeEnd>;
  stop(): void;
}

/** Brings the agent up to date from its control plane; it never goes back to a version before its own. */
export function createUpgrade(options: UpgradeOptions): Upgrade {
  const { installation, log, random = Math.random, trialMs = TRIAL_MS } = options;
  const withinMs = (options.withinSeconds ?? UPGRADE_WITHIN_SECONDS) * SECOND_MS;
  const ended = Promise.withResolvers<UpgradeEnd>();
  let trial: NodeJS.Timeout | undefined;
  let attempt: { readonly timer: NodeJS.Timeout; readonly atMs: number } | undefined;
  let isBusy = false;
  let isOver = false;
  let told: string | undefined;

  /** Each thing once, however often it is met. */
  function tellOnce(event: "update-available" | "update-failed", fields: { version?: string; why?: string }) {
    const line = `${event} ${fields.version ?? fields.why}`;
    if (line !== told) log(event, fields);
    told = line;
  }

  function schedule(longestMs: number, leastMs = 0): void {
    const atMs = performance.now() + leastMs + random() * Math.min(longestMs, withinMs);
    if (isBusy || isOver || (attempt !== undefined && attempt.atMs <= atMs)) return;
    clearTimeout(attempt?.timer);
    attempt = { atMs, timer: setTimeout(() => void bring(), Math.max(0, atMs - performance.now())) };
  }

  async function bring(): Promise<void> {
    attempt = undefined;
    isBusy = true;
    let hasFailed = false;
    try {
      if (installation && (await take(installation))) ended.resolve("upgraded");
    } catch (error) {
      hasFailed = true;
      tellOnce("update-failed", { why: describeError(error) });
    }
    isBusy = false;
    if (hasFailed) schedule(withinMs, RETRY_LEAST_MS);
  }

  async function take(present: Installation): Promise<boolean> {
    const release = await readRelease(options);
    const { version } = release;
    if (!isNewer(version, AGENT_VERSION) || (await present.isRejected(version))) return false;
    log("updating", { version });
    await downloadArchive(options, release, present.archivePath);
    if (isOver) return false;
    await present.take(version);
    log("updated", { version });
    return true;
  }

  async function confirm(): Promise<void> {
    if (trial === undefined) return;
    clearTimeout(trial);
    trial = undefined;
    await installation
      ?.confirm()
      .then(() => log("update-confirmed"))
      .catch((error: unknown) => tellOnce("update-failed", { why: describeError(error) }));
  }

  return {
    ended: ended.promise,

    async start() {
      if (!(await installation?.isOnTrial())) return;
      trial = setTimeout(() => ended.resolve("trial-failed"), trialMs);
    },

    onRelease(version) {
      void confirm();
      if (!isNewer(version, AGENT_VERSION)) return;
      if (installation) schedule(withinMs);
      else tellOnce("update-available", { version });
    },

    onOutdated() {
      if (installation) schedule(OUTDATED_WITHIN_MS);
      else tellOnce("update-failed", { why: "The control plane speaks another version; update this agent." });
    },

    stop() {
      isOver = true;
      clearTimeout(trial);
      clearTimeout(attempt?.timer);
    },
  };
}
