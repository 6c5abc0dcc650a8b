import { placeOfCountry } from "./countries.ts";
import { type Coordinates, type Place, placeAt } from "./place.ts";

/** What a customer wants of a server. */
export type Wish = {
  /** Servers of this region only. */
  readonly region?: string | undefined;
  /** Where the customer is; goes before the country. */
  readonly coordinates?: Coordinates | undefined;
  /** ISO 3166-1 alpha-2, of the request at this moment, not to be kept. A code without a place counts as no wish. */
  readonly country?: string | undefined;
  /** What the customer's plan allows; absent: everything. */
  readonly allowedTags?: readonly string[] | undefined;
  /** Servers that are not wanted, by their ids: where the device is, or what turned out to be full. */
  readonly except?: ReadonlySet<string> | undefined;
  /** By whom servers that are equally good are shared out: the same gets the same, such as a device's id. */
  readonly seed: string;
};

/** @throws RangeError when the coordinates are out of range */
export function placeOf({ coordinates, country }: Wish): Place | undefined {
  if (coordinates !== undefined) return placeAt(coordinates);
  return country === undefined ? undefined : placeOfCountry(country);
}
