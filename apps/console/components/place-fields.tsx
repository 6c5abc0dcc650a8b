import type { Node } from "@securewave/contracts";
import { lazy, Suspense, useState } from "react";
import { TextField } from "./fields.tsx";
import type { Coordinates } from "./world.ts";

/** Without the map one types the coordinates. */
const PlacePicker = lazy(async () => {
  try {
    return { default: (await import("./place-picker.tsx")).PlacePicker };
  } catch {
    return { default: () => <p className="text-muted text-sm">The map could not be loaded.</p> };
  }
});

/** Where a node stands: typed, or pointed at on a map. */
export function PlaceFields({ node }: { node: Node | undefined }) {
  const [latitude, setLatitude] = useState(textOf(node?.latitude));
  const [longitude, setLongitude] = useState(textOf(node?.longitude));
  const [isMapShown, setMapShown] = useState(node === undefined);

  function pick(place: Coordinates): void {
    setLatitude(textOf(place.latitude));
    setLongitude(textOf(place.longitude));
  }

  return (
    <div className="grid gap-3">
      <div className="grid items-start gap-5 sm:grid-cols-2">
        <TextField
          name="latitude"
          label="Latitude (optional)"
          type="number"
          min={-90}
          max={90}
          step="any"
          value={latitude}
          onChange={({ target }) => setLatitude(target.value)}
          placeholder="50.11"
          wrong="Degrees, such as 50.11; south of the equator with a minus."
        />
        <TextField
          name="longitude"
          label="Longitude (optional)"
          type="number"
          min={-180}
          max={180}
          step="any"
          value={longitude}
          onChange={({ target }) => setLongitude(target.value)}
          placeholder="8.68"
          wrong="Degrees, such as 8.68; west of Greenwich with a minus."
        />
      </div>
      <details open={isMapShown} onToggle={({ currentTarget }) => setMapShown(currentTarget.open)}>
        <summary className="mb-2 w-fit rounded-sm font-medium text-accent text-sm">
          Point at it on a map
        </summary>
        {isMapShown && (
          <Suspense fallback={<div className="aspect-21/10 animate-breathe rounded-lg bg-sunken" />}>
            <PlacePicker place={placeOf(latitude, longitude)} onPick={pick} />
          </Suspense>
        )}
      </details>
      <p className="text-muted text-sm">
        Customers are given the nearest server; without coordinates it is chosen by its region and load alone.
      </p>
    </div>
  );
}

function textOf(degrees: number | null | undefined): string {
  return degrees === null || degrees === undefined ? "" : String(degrees);
}

/** Undefined while they are not both there. */
function placeOf(latitude: string, longitude: string): Coordinates | undefined {
  if (latitude === "" || longitude === "") return undefined;
  const place = { latitude: Number(latitude), longitude: Number(longitude) };
  return Math.abs(place.latitude) <= 90 && Math.abs(place.longitude) <= 180 ? place : undefined;
}
