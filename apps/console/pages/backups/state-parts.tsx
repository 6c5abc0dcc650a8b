import type { BackupState } from "@securewave/contracts";
import type { ReactNode } from "react";
import { Card, Section } from "../../components/page.tsx";
import { Notice, StateBadge, type Tone } from "../../components/state.tsx";
import { Terms } from "../../components/terms.tsx";
import { formatBytes, formatMoment, plural } from "../../format.ts";
import { Checks } from "./checks.tsx";
import { KIND_WORDS } from "./words.ts";

const ARCHIVE_LOOKS = {
  following: { tone: "good", word: "Follows every write" },
  elsewhere: { tone: "good", word: "Followed by another process" },
  stopped: { tone: "bad", word: "Does not follow" },
  off: { tone: "still", word: "Switched off" },
} as const satisfies Record<BackupState["archive"]["state"], { tone: Tone; word: string }>;

export function StateParts({ state }: { state: BackupState }) {
  const { archive, last_verification } = state;
  const { tone, word } = ARCHIVE_LOOKS[archive.state];
  return (
    <>
      <Notices state={state} />
      <Card className="mb-9 overflow-hidden">
        <dl className="grid sm:grid-cols-3">
          {state.newest.map(({ kind, backup }) => (
            <Newest key={kind} label={KIND_WORDS[kind]} keptDays={state.retention_days[kind]}>
              {backup === null ? (
                <StateBadge tone="bad">None yet</StateBadge>
              ) : (
                <>
                  {formatMoment(backup.taken_at)}
                  <span className="block font-normal text-muted text-sm">{formatBytes(backup.bytes)}</span>
                </>
              )}
            </Newest>
          ))}
        </dl>
      </Card>
      <Section
        title="Archive"
        lead="Between backups, every write follows: the database can be restored to any second."
      >
        <div className="grid justify-items-start gap-4">
          <StateBadge tone={tone}>{word}</StateBadge>
          <Terms
            lines={[
              [
                "Restorable from",
                archive.restorable_from === null ? "not yet" : formatMoment(archive.restorable_from),
              ],
              [
                "Restorable to",
                archive.restorable_from === null
                  ? "not yet"
                  : archive.restorable_to === null
                    ? "the newest backup"
                    : formatMoment(archive.restorable_to),
              ],
              [
                "Behind",
                archive.lag_seconds === null ? "not known here" : plural(archive.lag_seconds, "second"),
              ],
            ]}
          />
        </div>
      </Section>
      <Section
        title="Last verification"
        lead="Every month the newest backups are restored beside the service and checked."
      >
        {last_verification === null ? (
          <p className="text-muted">No backup was verified yet. Verify one below.</p>
        ) : (
          <Checks verification={last_verification} />
        )}
      </Section>
    </>
  );
}

function Notices({
  state: { is_on, is_on_stores_disk, archive, can_open, last_verification },
}: {
  state: BackupState;
}) {
  return (
    <div className="mb-7 grid gap-3 empty:hidden">
      {!is_on && (
        <Notice tone="bad" title="Backups are switched off">
          BACKUPS=off stands in the settings of the service.
        </Notice>
      )}
      {last_verification?.outcome === "failed" && (
        <Notice tone="bad" title="A backup is damaged">
          Make another one, and look at the target: {last_verification.backup_id}
        </Notice>
      )}
      {archive.problem !== null && (
        <Notice tone="bad" title="The archive needs a hand">
          {archive.problem}
        </Notice>
      )}
      {is_on && is_on_stores_disk && (
        <Notice tone="warn" title="Backups lie on the disk of the store itself">
          One broken disk would take both. Set BACKUP_TARGET to another disk or machine.
        </Notice>
      )}
      {is_on && !can_open && (
        <Notice tone="still" title="This service cannot open its backups">
          It has only the key that seals. Verify them where the key is.
        </Notice>
      )}
    </div>
  );
}

interface NewestProps {
  readonly label: string;
  readonly keptDays: number;
  readonly children: ReactNode;
}

function Newest({ label, keptDays, children }: NewestProps) {
  return (
    <div className="border-line border-t p-5 first:border-t-0 sm:border-t-0 sm:border-l sm:first:border-l-0">
      <dt className="text-muted text-sm">{label}</dt>
      <dd className="figures mt-1 font-semibold">{children}</dd>
      <dd className="mt-1 text-muted text-xs">Kept for {plural(keptDays, "day")}</dd>
    </div>
  );
}
