import { randomBytes } from "node:crypto";
import { systemClock } from "@securewave/foundation";
import { type Ghost, type Report, runGhosts, type Surface } from "@securewave/ghosts";
import type { ZeroLogScene } from "./zero-log-scene.ts";

const GHOSTS = 3;

/** A leak that is switched on for a while, in a scene that has none. */
export interface Leak {
  readonly what: string;
  /** Surfaces that must have a trace, each with the words of a finding that must be among its hits. */
  readonly finds: Readonly<Record<string, string>>;
  /** Of those that are searched; those of `finds`, with what their controls need, when not given. */
  readonly searched?: readonly string[];
  /** Surfaces of the leak's own, in a folder for its files. */
  readonly own?: (dir: string) => readonly Surface[];
  /** What ghosts are like when it leaks, where that is not as they are drawn. */
  known?(ghosts: readonly Ghost[]): readonly Ghost[];
  act(leaking: Leaking): Promise<void>;
  /** Takes it back. */
  undo?(scene: ZeroLogScene): Promise<unknown>;
}

export interface Leaking {
  readonly scene: ZeroLogScene;
  readonly ghosts: readonly Ghost[];
  /** Empty, for what the leak writes. */
  readonly dir: string;
}

/** What copies of PostgreSQL's data need for their controls. */
const SOURCE = "postgres-data";

/** Lets ghosts of its own leak in one way, and searches for them. */
export async function tryLeak(scene: ZeroLogScene, leak: Leak, dir: string): Promise<Report> {
  const ids = leak.searched ?? Object.keys(leak.finds);
  const isPostgres = ids.some((id) => id.startsWith("postgres-"));
  const surfaces = scene.surfaces.filter(({ id }) => ids.includes(id) || (isPostgres && id === SOURCE));
  const act = async (drawn: readonly Ghost[]) => {
    const ghosts = leak.known?.(drawn) ?? drawn;
    await leak.act({ scene, ghosts, dir });
    return ghosts;
  };
  try {
    return await runGhosts({
      seed: randomBytes(32),
      clock: systemClock,
      software: { name: "SecureWave", version: "0.1.0" },
      surfaces: [...surfaces, ...(leak.own?.(dir) ?? [])],
      steps: [{ does: leak.what, act }],
      ghosts: GHOSTS,
    });
  } finally {
    await leak.undo?.(scene);
  }
}

/** What of a leak the search missed; empty when it was found. */
export function missedOf({ finds }: Leak, report: Report): string[] {
  return Object.entries(finds).flatMap(([id, words]) =>
    hitsIn(report, id).some((text) => text.includes(words)) ? [] : [`${id}: ${words}`],
  );
}

/** What the search found of a leak: of each surface what was demanded, and how many more traces. */
export function foundOf({ finds }: Leak, report: Report): string[] {
  return Object.entries(finds).map(([id, words]) => {
    const hits = hitsIn(report, id);
    const first = hits.find((text) => text.includes(words)) ?? "nothing";
    return `${id}: ${first}${hits.length > 1 ? `, and ${hits.length - 1} more` : ""}`;
  });
}

function hitsIn({ surfaces }: Report, id: string): string[] {
  const hits = surfaces.find((surface) => surface.id === id)?.hits ?? [];
  return hits.map(({ kind, encoding, source }) => `${kind}: ${encoding} in ${source}`);
}
