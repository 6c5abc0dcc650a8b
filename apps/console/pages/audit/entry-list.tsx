import type { AuditEntry } from "@securewave/contracts";
import { ArrowRight } from "lucide-react";
import type { AuditFilter } from "../../audit-filter.ts";
import { StateBadge, type Tone } from "../../components/state.tsx";
import { formatCount, formatMoment } from "../../format.ts";
import { KIND_WORDS } from "./kinds.ts";

type Body = NonNullable<AuditEntry["body"]>;

/** What stands out among the rest. */
const TONES: Partial<Record<Body["kind"], Tone>> = {
  login_refused: "warn",
  refresh_reused: "bad",
  second_factor_disabled: "warn",
  second_factor_reset_by_staff: "warn",
  block_added: "warn",
};

interface EntryListProps {
  readonly entries: readonly AuditEntry[];
  readonly onFilter: (change: AuditFilter) => void;
}

export function EntryList({ entries, onFilter }: EntryListProps) {
  return (
    <ol
      aria-label="Entries, the newest first"
      className="overflow-hidden rounded-lg border border-line bg-surface shadow-card"
    >
      {entries.map((entry) => (
        <li
          key={entry.index}
          className="grid gap-x-5 gap-y-1.5 border-line border-t px-4 py-3 text-sm first:border-t-0 sm:px-5 lg:grid-cols-[11rem_minmax(0,1fr)_auto]"
        >
          {entry.body ? (
            <EntryBody body={entry.body} onFilter={onFilter} />
          ) : (
            <p className="text-muted lg:col-span-2">
              Erased when its time of keeping was over. Its hash stays, and with it the chain.
            </p>
          )}
          <p className="figures text-muted text-xs max-lg:order-first lg:text-right">
            No. {formatCount(entry.index)}
          </p>
        </li>
      ))}
    </ol>
  );
}

function EntryBody({ body, onFilter }: { body: Body; onFilter: (change: AuditFilter) => void }) {
  const { kind, actor, subject, details, time, origin } = body;
  const facts = [...Object.entries(details), ...(origin === undefined ? [] : [["origin", origin] as const])];
  const tone = TONES[kind];
  return (
    <>
      <time dateTime={time} className="figures text-muted">
        {formatMoment(time)}
      </time>
      <div className="grid min-w-0 gap-1">
        <p className="font-semibold">
          {tone === undefined ? KIND_WORDS[kind] : <StateBadge tone={tone}>{KIND_WORDS[kind]}</StateBadge>}
        </p>
        <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
          <Id id={actor} label={`Show all that ${actor} did`} onPress={() => onFilter({ actor })} />
          {subject !== actor && (
            <>
              <ArrowRight className="size-3.5 text-muted" aria-hidden="true" />
              <Id
                id={subject}
                label={`Show all that happened to ${subject}`}
                onPress={() => onFilter({ subject })}
              />
            </>
          )}
        </p>
        {facts.length > 0 && (
          <dl className="flex flex-wrap gap-x-4 text-xs">
            {facts.map(([name, value]) => (
              <div key={name} className="flex min-w-0 gap-1.5">
                <dt className="text-muted">{name.replaceAll("_", " ")}</dt>
                <dd className="break-all font-mono">{textOf(value)}</dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </>
  );
}

function Id({ id, label, onPress }: { id: string; label: string; onPress: () => void }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onPress}
      className="break-all rounded-sm text-left font-mono text-accent text-xs underline-offset-3 hover:underline"
    >
      {id}
    </button>
  );
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
