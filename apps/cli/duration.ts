import { InvalidArgumentError } from "@commander-js/extra-typings";
import { humanDuration } from "./human.ts";

const SECONDS_OF = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
type Unit = keyof typeof SECONDS_OF;
const EXAMPLES = { s: "90s, 30m or 2h", m: "30m, 1h or 7d", d: "30d or 12w" } as const;

/**
 * Reads a length of time such as `90m`, `1h`, `7d` or `2w`.
 *
 * @param unit what it is counted in, of which it has to be whole ones
 * @param max how many of them it may be
 * @returns how many of the unit it is, from 1 on
 */
export function duration(unit: "s" | "m" | "d", max: number) {
  const unitSeconds = SECONDS_OF[unit];
  const longest = humanDuration(max * unitSeconds);
  const example = EXAMPLES[unit];
  return (text: string): number => {
    const [, digits = "", given = ""] = /^(\d{1,7})([smhdw])$/.exec(text) ?? [];
    const count = isUnit(given) ? (Number(digits) * SECONDS_OF[given]) / unitSeconds : Number.NaN;
    if (!Number.isInteger(count) || count < 1 || count > max)
      throw new InvalidArgumentError(`A length of time such as ${example} is wanted, ${longest} at most.`);
    return count;
  };
}

function isUnit(text: string): text is Unit {
  return Object.hasOwn(SECONDS_OF, text);
}
