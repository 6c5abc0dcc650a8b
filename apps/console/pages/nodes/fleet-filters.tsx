import type { Node } from "@securewave/contracts";
import { useCallback, useId } from "react";
import { NodeMark } from "../../components/node-mark.tsx";
import { NODE_STATE_LOOKS } from "../../components/node-state.tsx";
import { SearchField } from "../../components/search.tsx";
import { FLEET_ORDERS, type FleetFilter, LIVE_STATES } from "../../fleet-filter.ts";
import { formatCount } from "../../format.ts";
import { countsOf, regionsOf } from "./fleet.ts";
import { COLUMNS } from "./nodes-table.tsx";

interface FiltersProps {
  readonly nodes: readonly Node[];
  readonly filter: FleetFilter;
  readonly onChange: (change: FleetFilter) => void;
}

/** How many nodes are in which state; each count shows only those when it is pressed. */
export function StateCounts({ nodes, filter, onChange }: FiltersProps) {
  const counts = countsOf(nodes);
  const shown = LIVE_STATES.toReversed().filter(
    (state) => state !== "joining" || counts.joining > 0 || filter.state === "joining",
  );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in
    <div role="group" aria-label="States" className="mb-4 grid grid-cols-3 gap-2.5 sm:flex">
      {shown.map((state) => {
        const isPressed = filter.state === state;
        return (
          <button
            key={state}
            type="button"
            aria-pressed={isPressed}
            onClick={() => onChange({ state: isPressed ? undefined : state })}
            className="rounded-lg border border-line bg-surface px-3 py-2.5 text-left sm:px-4 sm:py-3 shadow-card transition-colors hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-soft sm:flex-1"
          >
            <span className="figures block font-semibold text-xl">{formatCount(counts[state])}</span>
            <span className="-ml-1 flex items-start gap-0.5 text-muted text-xs sm:text-sm">
              <NodeMark state={state} />
              {NODE_STATE_LOOKS[state].word}
            </span>
          </button>
        );
      })}
    </div>
  );
}

export function FleetFilters({ nodes, filter, onChange }: FiltersProps) {
  const [regionId, orderId] = [useId(), useId()];
  const onSearch = useCallback((text: string) => onChange({ search: text || undefined }), [onChange]);
  const regions = regionsOf(nodes);
  return (
    <section aria-label="Filters" className="mb-4 flex flex-wrap items-center gap-x-4 gap-y-3">
      <SearchField label="Search nodes" value={filter.search ?? ""} onSearch={onSearch} />
      <div className="max-sm:w-full sm:w-56">
        <label htmlFor={regionId} className="sr-only">
          Region
        </label>
        <select
          id={regionId}
          className="control"
          value={filter.region ?? ""}
          onChange={({ target }) => onChange({ region: target.value || undefined })}
        >
          <option value="">All regions</option>
          {filter.region !== undefined && !regions.includes(filter.region) && (
            <option>{filter.region}</option>
          )}
          {regions.map((region) => (
            <option key={region}>{region}</option>
          ))}
        </select>
      </div>
      <div className="max-sm:w-full sm:w-48 lg:hidden">
        <label htmlFor={orderId} className="sr-only">
          Order
        </label>
        <select
          id={orderId}
          className="control"
          value={filter.order ?? "name"}
          onChange={({ target }) =>
            onChange({ order: FLEET_ORDERS.find((order) => order === target.value), isDescending: undefined })
          }
        >
          {COLUMNS.map(([order, label]) => (
            <option key={order} value={order}>
              By {order === "name" ? "name" : label.toLowerCase()}
            </option>
          ))}
        </select>
      </div>
      <RemovedSwitch filter={filter} onChange={onChange} />
    </section>
  );
}

export function RemovedSwitch({ filter, onChange }: Omit<FiltersProps, "nodes">) {
  return (
    <label className="flex sm:ml-auto min-h-10 items-center gap-2 text-sm">
      <input
        type="checkbox"
        checked={filter.removed === true}
        onChange={({ target }) => onChange({ removed: target.checked || undefined })}
        className="size-4"
      />
      Removed ones
    </label>
  );
}
