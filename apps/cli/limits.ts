import { InvalidArgumentError } from "@commander-js/extra-typings";
import { integer } from "./options.ts";

const BYTES_OF: Readonly<Record<string, number>> = {
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};
/** As the contract has it: 1 MiB and 1 PiB. */
const BYTES_MIN = 2 ** 20;
const BYTES_MAX = 2 ** 50;

/** No limit. Commander makes an empty text of a null, so it becomes one only by `limitOf`. */
export type None = "none";

export function limitOf(given: number | None | undefined): number | null | undefined {
  return given === "none" ? null : given;
}

/** Reads an amount of data such as `500GB` or `1.5TiB`, or `none`. */
export function dataOrNone(text: string): number | None {
  if (text === "none") return text;
  const [, digits = "", unit = ""] = /^(\d{1,7}(?:\.\d{1,6})?) ?([kmgt]i?b)$/i.exec(text) ?? [];
  const bytes = Math.round(Number(digits) * (BYTES_OF[unit.toUpperCase()] ?? Number.NaN));
  if (digits === "" || !(bytes >= BYTES_MIN && bytes <= BYTES_MAX)) {
    throw new InvalidArgumentError("An amount such as 500GB, 1.5TiB or none is wanted, from 1 MiB to 1 PiB.");
  }
  return bytes;
}

/** Reads a whole number or `none`. */
export function integerOrNone(min: number, max: number) {
  const read = integer(min, max);
  return (text: string): number | None => (text === "none" ? text : read(text));
}

/** Reads a speed such as `1500kbit`, `2mbit` or `1.5mbit`, in kbit/s. */
export function speed(min: number, max: number) {
  return (text: string): number => {
    const [, digits = "", unit = ""] = /^(\d{1,7}(?:\.\d{1,3})?) ?([kmg])bit$/i.exec(text) ?? [];
    const factor = { k: 1, m: 1000, g: 1_000_000 }[unit.toLowerCase()] ?? Number.NaN;
    const kbit = Number(digits) * factor;
    if (digits === "" || !Number.isInteger(kbit) || kbit < min || kbit > max) {
      throw new InvalidArgumentError("A speed such as 1500kbit, 2mbit or 1gbit is wanted, 64kbit at least.");
    }
    return kbit;
  };
}

/** The same, or `none`. */
export function speedOrNone(min: number, max: number) {
  const read = speed(min, max);
  return (text: string): number | None => (text === "none" ? text : read(text));
}
