import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { given } from "./call.ts";
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

export interface ListOptions {
  readonly search?: string | undefined;
  readonly limit: number;
  readonly all?: true | undefined;
  readonly cursor?: string | undefined;
}

/** Reads as much of a list as the options ask for. */
export function readList<Item>(
  options: ListOptions,
  read: (query: PageRequest & { readonly search?: string }) => Promise<ListPage<Item>>,
): Promise<{ items: Item[]; next_cursor: string | null }> {
  const limit = options.all ? Number.POSITIVE_INFINITY : options.limit;
  return readPages((page) => read({ ...page, ...given({ search: options.search }) }), limit, options.cursor);
}
