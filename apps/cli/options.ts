import { InvalidArgumentError, Option, type OptionValues } from "@commander-js/extra-typings";
import { invariant } from "@securewave/foundation";
import { type ListPage, type PageRequest, readPages } from "./paging.ts";

const LIMIT_DEFAULT = 50;

/** Reads an integer of an option, bounds included. */
export function integer(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^-?\d{1,15}$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`A whole number from ${min} to ${max} is wanted.`);
    }
    return value;
  };
}

/** Reads a number such as a latitude, bounds included. */
export function decimal(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^-?\d{1,6}(\.\d{1,12})?$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`A number from ${min} to ${max} is wanted.`);
    }
    return value;
  };
}

/** Reads `a,b,c`. */
export function commaList(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

export const searchOption = () => new Option("-s, --search <text>", "only names that contain this");
export const limitOption = () =>
  new Option("-n, --limit <number>", "how many to show")
    .default(LIMIT_DEFAULT)
    .argParser(integer(1, 1_000_000));
export const allOption = () => new Option("-a, --all", "show the whole list");
export const cursorOption = () =>
  new Option("--cursor <cursor>", "go on after an earlier list: its next_cursor");
export const yesOption = () => new Option("-y, --yes", "do not ask");

/** Reads a page of what a search finds. */
export type ReadFound<Item> = (query: PageRequest & { readonly search?: string }) => Promise<ListPage<Item>>;

/** Reads as much of a list as the options ask for: those above, and `--search` where a command has it. */
export function readList<Item>(
  { search, limit, all, cursor }: OptionValues,
  read: ReadFound<Item>,
): Promise<{ items: Item[]; next_cursor: string | null }> {
  invariant(typeof limit === "number", "a limit has a default");
  const found = typeof search === "string" ? { search } : {};
  return readPages(
    (page) => read({ ...page, ...found }),
    all === true ? Number.POSITIVE_INFINITY : limit,
    typeof cursor === "string" ? cursor : undefined,
  );
}
