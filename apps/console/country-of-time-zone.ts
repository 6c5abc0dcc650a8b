import { getTimezone } from "countries-and-timezones";

/**
 * The country that a time zone is named for: it is used in its neighbours, too.
 *
 * @returns undefined for zones of no country
 */
export function countryOfTimeZone(timeZone: string): string | undefined {
  return getTimezone(timeZone)?.countries[0];
}
