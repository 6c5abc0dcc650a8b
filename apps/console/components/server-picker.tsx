import type { Server } from "@securewave/contracts";
import { Sparkles } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { flushSync } from "react-dom";
import { formatDistance, isOpen, isSamePlace, type Place, type Region, whyClosed } from "../servers.ts";
import { ClosedRegion } from "./closed-region.tsx";
import { GroupError } from "./fields.tsx";
import { useFieldProblem } from "./form.tsx";
import { Distance, ServerState } from "./server-facts.tsx";
import { ServerFinder } from "./server-finder.tsx";

/** The service is asked for the neighbours of so many closed regions; the search leads to the others. */
const NEIGHBOURS_MAX = 5;

interface ServerPickerProps {
  readonly legend: string;
  readonly value: Place;
  readonly onChange: (place: Place) => void;
  /** The server that a device is on, which it cannot be moved to. */
  readonly presentId?: string | undefined;
}

/** Chooses where a device is to be: by the service, in a region, or on one server. Part of a form, as `place`. */
export function ServerPicker({ legend, value, onChange, presentId }: ServerPickerProps) {
  const { clear } = useFieldProblem("place");
  const list = useRef<HTMLDivElement>(null);
  const choice = {
    value,
    presentId,
    onChange(place: Place) {
      clear();
      onChange(place);
    },
  };

  /** Leads to what was chosen by a button elsewhere in the list. */
  function chooseRegion(region: string): void {
    flushSync(() => choice.onChange({ region }));
    list.current?.querySelector<HTMLElement>("input:checked")?.focus();
  }

  return (
    <fieldset className="min-w-0">
      <legend className="mb-3 font-medium text-sm">{legend}</legend>
      <ServerFinder>
        {({ best, regions, isSearching }) => {
          const closed = regions.filter((region) => whyClosed(region) !== undefined);
          return (
            <div ref={list} className="max-h-112 overflow-y-auto rounded-md border border-outline bg-surface">
              {!isSearching && <BestOption choice={choice} best={best.find(({ id }) => id !== presentId)} />}
              {regions.map((region) => (
                <RegionOptions
                  key={region.name}
                  choice={choice}
                  region={region}
                  namesNeighbour={closed.indexOf(region) < NEIGHBOURS_MAX}
                  onNeighbour={chooseRegion}
                />
              ))}
            </div>
          );
        }}
      </ServerFinder>
      <GroupError name="place" />
    </fieldset>
  );
}

interface Choice {
  readonly value: Place;
  readonly presentId: string | undefined;
  readonly onChange: (place: Place) => void;
}

function BestOption({ choice, best }: { choice: Choice; best: Server | undefined }) {
  const far = best?.distance_km === null || !best ? "" : `, ${formatDistance(best.distance_km)}`;
  return (
    <Option
      choice={choice}
      place={{}}
      title="Best for you"
      detail={
        best ? `At this moment ${best.name} in ${best.region}${far}` : "Healthy, near, and with room to spare"
      }
    >
      <Sparkles className="size-4.5 text-accent" aria-hidden="true" />
    </Option>
  );
}

interface RegionOptionsProps {
  readonly choice: Choice;
  readonly region: Region;
  readonly namesNeighbour: boolean;
  readonly onNeighbour: (region: string) => void;
}

function RegionOptions({ choice, region, namesNeighbour, onNeighbour }: RegionOptionsProps) {
  const { name, servers, distanceKm } = region;
  const openCount = servers.filter((server) => isOpen(server) && server.id !== choice.presentId).length;
  return (
    <fieldset className="border-line border-t">
      <legend className="float-left flex w-full items-baseline justify-between gap-4 bg-sunken px-4 py-2">
        <span className="min-w-0 truncate font-semibold text-sm">{name}</span>
        <Distance km={distanceKm} />
      </legend>
      <div className="clear-both">
        {whyClosed(region) !== undefined && (
          <div className="border-line border-t px-4 py-3">
            {namesNeighbour ? (
              <ClosedRegion region={region} verb="Choose" onChoose={onNeighbour} />
            ) : (
              <p className="text-sm text-warn">{whyClosed(region)}</p>
            )}
          </div>
        )}
        {(openCount > 1 || choice.value.region === name) && (
          <Option
            choice={choice}
            place={{ region: name }}
            title={`Best in ${name}`}
            detail="The service chooses among its servers"
          />
        )}
        {servers.map((server) => (
          <Option
            key={server.id}
            choice={choice}
            place={{ server_id: server.id }}
            title={server.name}
            isDisabled={!isOpen(server) || server.id === choice.presentId}
          >
            {server.id === choice.presentId ? (
              <span className="text-muted text-sm">It is here</span>
            ) : (
              <ServerState server={server} />
            )}
          </Option>
        ))}
      </div>
    </fieldset>
  );
}

interface OptionProps {
  readonly choice: Choice;
  readonly place: Place;
  readonly title: string;
  readonly detail?: string;
  readonly isDisabled?: boolean;
  readonly children?: ReactNode;
}

function Option({ choice, place, title, detail, isDisabled = false, children }: OptionProps) {
  return (
    <label className="flex min-h-12 items-center gap-3 border-line border-t px-4 py-2 transition-colors first:border-t-0 hover:bg-hover has-checked:bg-accent-soft has-disabled:cursor-not-allowed has-disabled:bg-surface has-focus-visible:-outline-offset-2 has-focus-visible:outline-2 has-focus-visible:outline-accent">
      <input
        type="radio"
        name="place"
        checked={isSamePlace(choice.value, place)}
        disabled={isDisabled}
        onChange={() => choice.onChange(place)}
        className="size-4 shrink-0"
      />
      <span className="min-w-0 grow">
        <span className={`block truncate ${isDisabled ? "text-muted" : "font-medium"}`}>{title}</span>
        {detail !== undefined && <span className="block text-muted text-sm">{detail}</span>}
      </span>
      <span className="shrink-0">{children}</span>
    </label>
  );
}
