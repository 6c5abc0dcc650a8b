import { setTimeout as pause } from "node:timers/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Client, Node } from "@securewave/contracts";
import type { NodeHealthSample } from "@securewave/contracts/nodes";
import type { Call, Perform } from "../call.ts";
import { usageError } from "../failure.ts";
import { plain } from "../output.ts";
import { BY_NAME, resolveNode } from "../resolve.ts";
import { sparkline } from "../sparkline.ts";
import { FIGURES, type Figure } from "./health-figures.ts";
import { NODE_STATE_STYLES } from "./node-views.ts";

/** An hour of samples, one every 30 seconds. */
const LINE_CELLS_MAX = 120;
const LINE_CELLS_MIN = 12;
const COLUMNS_DEFAULT = 100;
const LOOK_AGAIN_MS = 5000;
const CLEAR_SCREEN = "\x1b[H\x1b[2J";

export function addNodeHealthCommand(nodes: CommandUnknownOpts, perform: Perform): void {
  nodes
    .command("health")
    .description("show how a node was in the last hour; figures of its machine, not of people")
    .argument("<node>", BY_NAME)
    .option("-w, --watch", "go on showing it, every five seconds")
    .addHelpText(
      "after",
      `
Throughput and connected devices are known as ranges only, and throughput not at all while few are connected.

Examples:
  $ securewave nodes health US-East-1
  $ securewave nodes health US-East-1 --watch
  $ securewave nodes health US-East-1 --json`,
    )
    .action((name, { watch = false }) =>
      perform(async (call) => {
        const { out, environment } = call;
        if (watch && (out.json || environment.stdout.isTTY !== true))
          throw usageError("--watch draws on a terminal.", "Leave --watch away, and call it again.");
        const api = await call.client();
        const id = await resolveNode(api, name);
        for (;;) {
          const [node, { samples }] = await look(api, id);
          if (watch) environment.stdout.write(CLEAR_SCREEN);
          out.result({ node, samples }, () => render(call, node, samples));
          if (!watch) return undefined;
          await pause(LOOK_AGAIN_MS);
        }
      }),
    );
}

function look(api: Client, id: string) {
  return Promise.all([api.nodes.show({ params: { id } }), api.nodes.health({ params: { id } })]);
}

function render({ out, environment }: Call, node: Node, samples: readonly NodeHealthSample[]): string {
  const { name, state, problem } = node;
  const title = `${out.style("bold", name)} is ${out.style(NODE_STATE_STYLES[state], state)}`;
  const parts = [problem === null ? `${title}.` : `${title}: ${plain(problem)}`];
  const newest = samples.at(-1);
  if (newest === undefined) return [...parts, "Nothing is known of its last hour yet."].join("\n\n");
  const rows = FIGURES.map((figure) => [figure, figure.text(newest)] as const);
  const width = Math.max(...rows.map(([, text = "-"]) => text.length));
  const named = Math.max(...FIGURES.map((figure) => figure.name.length)) + 2;
  const columns = (environment.stdout.isTTY && environment.stdout.columns) || COLUMNS_DEFAULT;
  const cells = Math.min(LINE_CELLS_MAX, Math.max(LINE_CELLS_MIN, columns - named - width - 2));
  const minutes = Math.max(1, Math.round((samples[0]?.age_seconds ?? 0) / 60));
  return [
    ...parts,
    out.fields(
      rows.map(([figure, text = "-"]) => [
        figure.name,
        `${text.padStart(width)}  ${line(figure, samples, cells)}`,
      ]),
    ),
    out.style("dim", `The last ${minutes} min, the newest at the end.`),
  ].join("\n\n");
}

function line({ height, max }: Figure, samples: readonly NodeHealthSample[], cells: number): string {
  return sparkline(samples.map(height), cells, max).trimEnd();
}
