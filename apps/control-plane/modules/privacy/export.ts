import { dayOf } from "@securewave/foundation";
import { describeField } from "@securewave/privacy";
import type { Collector } from "./collectors.ts";

/** Changes when a program that read the former one would misread it. */
const VERSION = 1;

export interface ExportHead {
  readonly accountId: string;
  readonly nowMs: number;
}

/**
 * Everything that is kept about an account, as one JSON value in pieces: for each section what it is, what its fields
 * mean, and its items.
 */
export async function* writeExport(
  collectors: readonly Collector[],
  { accountId, nowMs }: ExportHead,
): AsyncGenerator<string> {
  const head = {
    format: "securewave-export",
    version: VERSION,
    made_on: dayOf(nowMs),
    account_id: accountId,
  };
  yield `${JSON.stringify(head).slice(0, -1)},"sections":[`;
  let before = "";
  for (const collector of collectors) {
    const { name, about, tables } = collector;
    yield `${before}\n{"name":${JSON.stringify(name)},"about":${JSON.stringify(about)},"items":[`;
    const names = new Set<string>();
    let comma = "";
    for await (const item of collector.collect(accountId)) {
      for (const field of Object.keys(item)) names.add(field);
      yield `${comma}\n${JSON.stringify(item)}`;
      comma = ",";
    }
    yield `],"fields":${JSON.stringify(meaningsOf([...names], tables))}}`;
    before = ",";
  }
  yield "]}\n";
}

/** By field, where the catalogue has a meaning for it. */
function meaningsOf(fields: readonly string[], tables: readonly string[]): Record<string, string> {
  const meanings: Record<string, string> = {};
  for (const field of fields) {
    const columns = [field, `${field}_sealed`, `sealed_${field}`];
    const found = tables.flatMap((table) => columns.map((column) => describeField(table, column)));
    const what = found.find((entry) => entry !== undefined)?.what;
    if (what !== undefined) meanings[field] = what;
  }
  return meanings;
}
