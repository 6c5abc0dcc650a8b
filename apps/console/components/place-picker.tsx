import type { PointerEvent } from "react";
import {
  type Coordinates,
  coordinatesAt,
  graticulePath,
  landPath,
  pointOf,
  WORLD_HEIGHT,
  WORLD_WIDTH,
} from "./world.ts";

interface PlacePickerProps {
  readonly place: Coordinates | undefined;
  readonly onPick: (place: Coordinates) => void;
}

/** A map to point at. Typing the coordinates does the same, so it has no place in the order of the tab key. */
export function PlacePicker({ place, onPick }: PlacePickerProps) {
  const at = place && pointOf(place);

  function onPoint(event: PointerEvent<SVGSVGElement>): void {
    const { left, top, width } = event.currentTarget.getBoundingClientRect();
    const scale = WORLD_WIDTH / width;
    const picked = coordinatesAt({ x: (event.clientX - left) * scale, y: (event.clientY - top) * scale });
    if (picked) onPick(picked);
  }

  return (
    <svg
      viewBox={`0 0 ${WORLD_WIDTH} ${WORLD_HEIGHT}`}
      className="block w-full cursor-crosshair rounded-lg border border-line bg-sunken"
      aria-hidden="true"
      data-map
      onPointerUp={onPoint}
    >
      <path d={graticulePath} fill="none" className="stroke-line/70" vectorEffect="non-scaling-stroke" />
      <path
        d={landPath}
        className="fill-line stroke-outline/50"
        strokeWidth="0.5"
        vectorEffect="non-scaling-stroke"
      />
      {at && (
        <g transform={`translate(${at.x} ${at.y})`} className="text-accent">
          <circle r="16" fill="currentColor" opacity="0.2" />
          <circle r="6" fill="currentColor" />
        </g>
      )}
    </svg>
  );
}
