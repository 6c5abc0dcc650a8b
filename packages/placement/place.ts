/** Degrees: latitude -90…90, north positive; longitude -180…180, east positive. */
export type Coordinates = { readonly latitude: number; readonly longitude: number };

/** A point of the unit sphere, so that a distance takes no sine or cosine. */
export type Place = { readonly x: number; readonly y: number; readonly z: number };

/** IUGG: the mean radius of the Earth. */
export const EARTH_RADIUS_KM = 6371.0088;
const RADIANS_PER_DEGREE = Math.PI / 180;

/** @throws RangeError when they are out of range; it does not repeat them, as they may be a customer's */
export function placeAt({ latitude, longitude }: Coordinates): Place {
  // Asked this way round, so that NaN is refused too.
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) {
    throw new RangeError(
      "coordinates are out of range: latitude is -90 to 90 degrees, longitude -180 to 180",
    );
  }
  const [north, east] = [latitude * RADIANS_PER_DEGREE, longitude * RADIANS_PER_DEGREE];
  return {
    x: Math.cos(north) * Math.cos(east),
    y: Math.cos(north) * Math.sin(east),
    z: Math.sin(north),
  };
}

/** Kilometres along the great circle, as the haversine formula gives them. */
export function distanceKm(a: Place, b: Place): number {
  const [dx, dy, dz] = [a.x - b.x, a.y - b.y, a.z - b.z];
  return arcKm(Math.sqrt(dx * dx + dy * dy + dz * dz));
}

/** Kilometres along the surface between the ends of a chord, the straight way through the unit sphere. */
export function arcKm(chord: number): number {
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, chord / 2));
}

/** The middle of several places; undefined for none, and where they lie opposite each other. */
export function middleOf(places: Iterable<Place>): Place | undefined {
  let [x, y, z] = [0, 0, 0];
  for (const place of places) {
    x += place.x;
    y += place.y;
    z += place.z;
  }
  const length = Math.hypot(x, y, z);
  return length < 1e-9 ? undefined : { x: x / length, y: y / length, z: z / length };
}
