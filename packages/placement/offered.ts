import type { Fleet } from "./fleet.ts";
import type { Wish } from "./wish.ts";

/** No region has a number below -1. */
const ANY_REGION = -2;

/** Whether a row may be chosen for a wish. */
export function createOfferCheck(fleet: Fleet, wish: Wish): (row: number) => boolean {
  const { base, region, tagSet } = fleet.columns;
  const { allowedTags } = wish;
  const except = wish.except?.size ? wish.except : undefined;
  // Asked once for each set of tags, of which there are few.
  const isAllowed = new Uint8Array(fleet.tagSets.length);
  for (const [number, tags] of fleet.tagSets.entries()) {
    isAllowed[number] = allowedTags === undefined || tags.every((tag) => allowedTags.includes(tag)) ? 1 : 0;
  }
  const wished = wish.region === undefined ? ANY_REGION : fleet.regionNumber(wish.region);
  return (row) =>
    (wished === ANY_REGION || region[row] === wished) &&
    isAllowed[tagSet[row] ?? 0] === 1 &&
    (base[row] ?? Number.NaN) >= 0 &&
    (except === undefined || !except.has(fleet.serverOfRow(row).id));
}

export function offeredRows(fleet: Fleet, wish: Wish): number[] {
  const isOffered = createOfferCheck(fleet, wish);
  const rows: number[] = [];
  for (let row = 0; row < fleet.servers.length; row++) if (isOffered(row)) rows.push(row);
  return rows;
}
