import type { About, Group } from "./entry.ts";
import type { Field } from "./fields.ts";

export interface TableOptions extends About {
  readonly columns: Readonly<Record<string, Field>>;
  readonly triggers?: readonly string[];
  readonly droppedColumns?: number;
}

/** @param name with its schema where that is not `public`: `jobs.job` */
export function table(name: string, { columns, ...rest }: TableOptions): Group {
  return { room: "table", name, fields: columns, ...rest };
}
