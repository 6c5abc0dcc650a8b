import type { ArchiveReceiver } from "@securewave/backup";
import { type Clock, MINUTE_MS, RefusalError, SECOND_MS } from "@securewave/foundation";

export interface ArchivingState {
  readonly state: "following" | "elsewhere" | "stopped";
  readonly archivedToMs: number | undefined;
  readonly lagSeconds: number | undefined;
  readonly problem: ArchiveProblem | undefined;
}

export interface ArchiveProblem {
  /** Of the refusal; `unknown` where it was none. */
  readonly code: string;
  /** What it is, and what to do. */
  readonly message: string;
}

export interface ArchivingOptions {
  /** Begins to follow; refused where another process follows. */
  readonly receive: (onTrouble: (error: unknown) => void) => Promise<ArchiveReceiver>;
  readonly clock: Clock;
  /** Hears what is new, and now and then what lasts. */
  readonly onTrouble: (error: unknown) => void;
  readonly isElsewhere: (error: unknown) => boolean;
}

type ArchiveGap = NonNullable<ReturnType<ArchiveReceiver["state"]>["gap"]>;

export type Archiving = ReturnType<typeof createArchiving>;

/** A process that ended lets go of the archive; another takes it over within this time. */
const TRIES_EVERY_MS = 20 * SECOND_MS;
/** Each try of a trouble that lasts would be a line of the log. */
const TELLS_EVERY_MS = 10 * MINUTE_MS;

const HAS_GAP: ArchiveProblem = {
  code: "backup.archive_gap",
  message:
    "The database no longer had all that was written while nobody followed it. A new backup begins a new archive: securewave backup run --kind database",
};

/** Has what is written to the database follow to the target, from one of the service's processes. */
export function createArchiving({ receive, clock, onTrouble, isElsewhere }: ArchivingOptions) {
  let receiver: ArchiveReceiver | undefined;
  let noticed: { readonly gap: ArchiveGap; readonly atMs: number } | undefined;
  let refused: unknown;
  let isAway = false;
  let timer: NodeJS.Timeout | undefined;
  let trying: Promise<void> | undefined;
  let isClosed = false;
  let told: { readonly what: string; readonly atMs: number } | undefined;

  function tell(error: unknown): void {
    const [what, atMs] = [error instanceof Error ? error.message : "", clock.now()];
    if (told?.what === what && atMs - told.atMs < TELLS_EVERY_MS) return;
    told = { what, atMs };
    onTrouble(error);
  }

  async function tryToFollow(): Promise<void> {
    try {
      receiver = await receive(tell);
      [refused, isAway] = [undefined, false];
    } catch (error) {
      isAway = isElsewhere(error);
      refused = isAway ? undefined : error;
      if (!isAway) tell(error);
    }
    if (receiver === undefined && !isClosed) {
      timer = setTimeout(() => {
        trying = tryToFollow();
      }, TRIES_EVERY_MS).unref();
    }
  }

  function lacksSome(gap: ArchiveGap | undefined, newestBaseMs: number): boolean {
    if (gap !== undefined && gap !== noticed?.gap) noticed = { gap, atMs: clock.now() };
    return noticed !== undefined && newestBaseMs <= noticed.atMs;
  }

  return {
    start(): void {
      trying ??= tryToFollow();
    },

    /** What was received is on the target. */
    flush: async (): Promise<void> => await receiver?.flush(),

    /** @param newestBaseMs of when the newest base is: a gap from before it is in the way of nothing that is to come */
    state(newestBaseMs = Number.NEGATIVE_INFINITY): ArchivingState {
      const now = receiver?.state();
      if (now === undefined)
        return {
          state: isAway ? "elsewhere" : "stopped",
          archivedToMs: undefined,
          lagSeconds: undefined,
          problem: problemOf(refused),
        };
      const { archivedAt: archivedToMs, gap, isConnected, trouble } = now;
      const lagMs = archivedToMs === undefined ? undefined : Math.max(0, clock.now() - archivedToMs);
      return {
        state: isConnected && trouble === undefined ? "following" : "stopped",
        archivedToMs,
        lagSeconds: lagMs === undefined ? undefined : Math.round(lagMs / SECOND_MS),
        problem: problemOf(trouble) ?? (lacksSome(gap, newestBaseMs) ? HAS_GAP : undefined),
      };
    },

    async close(): Promise<void> {
      isClosed = true;
      clearTimeout(timer);
      await trying;
      await receiver?.close();
    },
  };
}

function problemOf(trouble: unknown): ArchiveProblem | undefined {
  if (trouble === undefined) return undefined;
  if (trouble instanceof RefusalError) return { code: trouble.code, message: trouble.message };
  return { code: "unknown", message: "It broke off, and is tried again. The log of the service says why." };
}
