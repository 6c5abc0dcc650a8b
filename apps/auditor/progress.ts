import type { Source, Surface } from "@securewave/ghosts";
import type { AuditorEvent } from "@securewave/ghosts/auditor-protocol";

const EVERY_MS = 250;

/** The same surface, that also says how far its search is. */
export function watched(surface: Surface, tell: (event: AuditorEvent) => void): Surface {
  return {
    ...surface,
    async *collect(collecting) {
      let [bytes, sources, toldMs] = [0, 0, 0];
      const say = (state: "searching" | "done") => {
        toldMs = performance.now();
        tell({ kind: "surface", id: surface.id, state, bytes, sources });
      };
      say("searching");
      for await (const source of surface.collect(collecting)) {
        sources++;
        yield { name: source.name, read: () => counted(source) };
      }
      say("done");

      async function* counted(source: Source): AsyncGenerator<Buffer> {
        for await (const piece of source.read()) {
          bytes += piece.length;
          if (performance.now() > toldMs + EVERY_MS) say("searching");
          yield piece;
        }
      }
    },
  };
}
