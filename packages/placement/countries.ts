import { COUNTRY_CENTRES } from "./country-centres.ts";
import { type Place, placeAt } from "./place.ts";

const places = new Map<string, Place>();
for (const [country, [latitude, longitude]] of Object.entries(COUNTRY_CENTRES))
  places.set(country, placeAt({ latitude, longitude }));

/**
 * The place around which a country's people live.
 *
 * @param country ISO 3166-1 alpha-2, upper case; also XK, which is in common use for Kosovo
 * @returns undefined for every other text, and for places without towns: Bouvet Island, Heard Island, the British Indian
 *   Ocean Territory, the US Minor Outlying Islands
 */
export function placeOfCountry(country: string): Place | undefined {
  return places.get(country);
}
