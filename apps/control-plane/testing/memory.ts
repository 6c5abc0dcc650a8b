import { ID_PREFIXES, type IdKind } from "@securewave/foundation";
import type { Known, KnownText } from "./random-request.ts";

export interface Memory extends Known {
  keep(sort: IdKind | KnownText, text: string): void;
  /** Takes every id and every text of meaning out of an answer. */
  learn(answer: unknown): void;
}

/** The newest so many of each sort are kept. */
const KEPT_MAX = 40;
const SORT_OF_FIELD: Readonly<Record<string, KnownText>> = {
  email: "email",
  name: "name",
  public_key: "key",
  next_cursor: "cursor",
  refresh_token: "refresh token",
  join_token: "join token",
};
const KIND_OF_PREFIX = new Map(
  Object.entries(ID_PREFIXES).map(([kind, prefix]) => [String(prefix), kind as IdKind]),
);

export function createMemory(): Memory {
  const kept = new Map<IdKind | KnownText, string[]>();

  function keep(sort: IdKind | KnownText, text: string): void {
    kept.set(sort, [text, ...(kept.get(sort) ?? [])].slice(0, KEPT_MAX));
  }

  function learn(answer: unknown): void {
    if (typeof answer !== "object" || answer === null) return;
    for (const [field, value] of Object.entries(answer)) {
      const sort = typeof value === "string" ? sortOf(field, value) : undefined;
      if (sort) keep(sort, String(value));
      learn(value);
    }
  }

  const read = (sort: IdKind | KnownText) => kept.get(sort) ?? [];
  return { keep, learn, ids: read, texts: read };
}

function sortOf(field: string, value: string): IdKind | KnownText | undefined {
  return field === "id" ? KIND_OF_PREFIX.get(value.split("_")[0] ?? "") : SORT_OF_FIELD[field];
}
