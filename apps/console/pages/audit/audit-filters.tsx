import { AUDIT_KINDS } from "@securewave/contracts";
import { type ReactNode, useCallback, useId } from "react";
import type { AuditFilter } from "../../audit-filter.ts";
import { Button } from "../../components/button.tsx";
import { SearchField } from "../../components/search.tsx";
import { KIND_GROUPS, KIND_WORDS } from "./kinds.ts";

interface AuditFiltersProps {
  readonly filter: AuditFilter;
  readonly onChange: (change: AuditFilter) => void;
  /** Takes every filter off; undefined while there is none. */
  readonly onClear: (() => void) | undefined;
}

export function AuditFilters({ filter, onChange, onClear }: AuditFiltersProps) {
  const onActor = useCallback((text: string) => onChange({ actor: text.trim() || undefined }), [onChange]);
  const onSubject = useCallback(
    (text: string) => onChange({ subject: text.trim() || undefined }),
    [onChange],
  );
  return (
    <section aria-label="Filters" className="mb-5 grid gap-3 sm:grid-cols-2 lg:grid-cols-[2fr_3fr_3fr]">
      <Labelled label="What happened">
        {(id) => (
          <select
            id={id}
            className="control"
            value={filter.kind ?? ""}
            onChange={({ target }) => onChange({ kind: AUDIT_KINDS.find((kind) => kind === target.value) })}
          >
            <option value="">Anything</option>
            {KIND_GROUPS.map(({ title, kinds }) => (
              <optgroup key={title} label={title}>
                {kinds.map((kind) => (
                  <option key={kind} value={kind}>
                    {KIND_WORDS[kind]}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        )}
      </Labelled>
      <SearchField label="Id of who did it" value={filter.actor ?? ""} onSearch={onActor} isWide />
      <SearchField label="Id of whom or what" value={filter.subject ?? ""} onSearch={onSubject} isWide />
      <div className="grid grid-cols-2 gap-3 sm:col-span-full sm:flex sm:items-end">
        <Labelled label="From day">
          {(id) => (
            <input
              id={id}
              type="date"
              className="control sm:w-44"
              value={filter.from ?? ""}
              max={filter.to}
              onChange={({ target }) => onChange({ from: target.value || undefined })}
            />
          )}
        </Labelled>
        <Labelled label="To day">
          {(id) => (
            <input
              id={id}
              type="date"
              className="control sm:w-44"
              value={filter.to ?? ""}
              min={filter.from}
              onChange={({ target }) => onChange({ to: target.value || undefined })}
            />
          )}
        </Labelled>
        {onClear && (
          <Button tone="quiet" onClick={onClear} className="max-sm:col-span-full">
            Show all
          </Button>
        )}
      </div>
    </section>
  );
}

function Labelled({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="grid content-end gap-1.5">
      <label htmlFor={id} className="justify-self-start font-medium text-sm">
        {label}
      </label>
      {children(id)}
    </div>
  );
}
