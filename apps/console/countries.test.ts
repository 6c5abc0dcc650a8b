import { expect, test } from "vitest";
import { listCountries } from "./countries.ts";
import { countryOfTimeZone } from "./country-of-time-zone.ts";

test("every country has a name in the reader's language, and stands where that language sorts it", () => {
  const english = listCountries("en");
  expect(english.length).toBe(246);
  for (const { code, name } of english) expect(name, code).not.toBe(code);
  const german = listCountries("de").map(({ name }) => name);
  expect(german.indexOf("Österreich")).toBeLessThan(german.indexOf("Polen"));
});

test("a time zone says the country it is named for, whatever it is called, and none where it is nobody's", () => {
  expect(countryOfTimeZone("Europe/Zurich")).toBe("CH");
  expect(countryOfTimeZone("Europe/Oslo")).toBe("NO");
  expect(countryOfTimeZone("Asia/Calcutta")).toBe("IN");
  expect(countryOfTimeZone("UTC")).toBeUndefined();
  expect(countryOfTimeZone("Etc/GMT+3")).toBeUndefined();
  expect(countryOfTimeZone("Nowhere/At_All")).toBeUndefined();
});
