const FACTORS: Readonly<Record<string, number>> = { Mbit: 1e6, Gbit: 1e9 };

/**
 * Where a range as the service writes them begins: 0 of `<1 Mbit/s`, 10,000,000 of `10–30 Mbit/s`, 50 of `50–99`.
 *
 * @returns undefined for what is no range
 */
export function lowerEnd(range: string): number | undefined {
  const { isBelow, number, unit } =
    /^(?<isBelow><)?(?<number>\d+)(?:–\d+)?(?: (?<unit>[MG]bit)\/s)?(?: or more)?$/.exec(range)?.groups ?? {};
  if (number === undefined) return undefined;
  return isBelow === undefined ? Number(number) * (FACTORS[unit ?? ""] ?? 1) : 0;
}
