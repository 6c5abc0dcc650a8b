import type { ZeroLogRun } from "@securewave/contracts";
import type { AuditorEvent } from "@securewave/ghosts/auditor-protocol";

export const FIRST: ZeroLogRun = { state: "running", doing: "start", surfaces: [], report: null };

/** How far a run is after what the auditor said. */
export function advance(run: ZeroLogRun, event: AuditorEvent): ZeroLogRun {
  switch (event.kind) {
    case "surfaces":
      return {
        ...run,
        surfaces: event.surfaces.map(({ id, title }) => ({
          id,
          title,
          state: "waiting",
          bytes: 0,
          sources: 0,
        })),
      };
    case "step":
      return { ...run, doing: event.text };
    case "surface": {
      const { id, state, bytes, sources } = event;
      const surfaces = run.surfaces.map((surface) =>
        surface.id === id ? { ...surface, state, bytes, sources } : surface,
      );
      const doing = surfaces.find((surface) => surface.id === id)?.title ?? run.doing;
      return { ...run, doing: `search ${doing}`, surfaces };
    }
    case "back_up":
      return { ...run, doing: "have a backup made" };
    case "report":
      return { ...run, doing: "sign" };
  }
}
