/** ISO 3166-1 alpha-2 of the countries that have towns, and XK, which is in common use for Kosovo. */
const CODES =
  "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHNHRHTHUIDIEILIMINIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";

export interface Country {
  readonly code: string;
  readonly name: string;
}

/** All countries by their names in the reader's language. */
export function listCountries(languages?: Intl.LocalesArgument): Country[] {
  const names = new Intl.DisplayNames(languages, { type: "region" });
  const countries = (CODES.match(/../g) ?? []).map((code) => ({ code, name: names.of(code) ?? code }));
  const order = new Intl.Collator(languages);
  return countries.sort((one, other) => order.compare(one.name, other.name));
}
