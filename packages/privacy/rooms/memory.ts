import type { About, Group } from "../entry.ts";
import type { Field } from "../fields.ts";

const LIVE = {
  class: "live",
  whose: "customer",
  basis: "contract",
} as const satisfies Partial<About>;

type MemoryAbout = Omit<About, "class" | "basis" | "whose"> & Partial<About> & Pick<Group, "shape">;

/** What a process of the control plane holds while it runs. */
export function memory(name: string, about: MemoryAbout, fields: Readonly<Record<string, Field>>): Group {
  return { room: "memory", name, ...LIVE, ...about, fields };
}
