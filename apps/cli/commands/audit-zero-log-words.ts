import { complaintsOf, type SurfaceReport, type Verified } from "@securewave/ghosts/report";
import { humanBytes } from "../human.ts";
import type { Column, Output } from "../output.ts";

const OUTCOMES = {
  clean: { style: "green", text: "No trace of the ghosts was found, and every planted one was." },
  leaking: { style: "red", text: "Traces of the ghosts were found: the service keeps what it must not." },
  incomplete: {
    style: "yellow",
    text: "No trace was found, but the search was not complete: it proves nothing.",
  },
} as const;

/** A report for programs. */
export function reportJson({ report, isConsistent }: Verified) {
  const { at, software, outcome, surfaces, notCovered } = report;
  return {
    outcome,
    consistent: isConsistent,
    at,
    software: `${software.name} ${software.version}`,
    surfaces: surfaces.map((surface) => ({
      id: surface.id,
      title: surface.title,
      bytes: surface.bytes + surface.unpackedBytes,
      sources: surface.sources,
      controls: surface.controls.length,
      controls_found: foundOf(surface),
      hits: surface.hitsCount,
    })),
    complaints: complaintsOf(report),
    not_covered: notCovered,
  };
}

export function reportText(out: Output, { report, isConsistent }: Verified): string {
  const { style, text } = OUTCOMES[report.outcome];
  const complaints = complaintsOf(report);
  const { at, software, ghosts, encodings, notCovered } = report;
  return [
    out.style(
      isConsistent ? style : "red",
      isConsistent ? text : "Its outcome is not what its figures come to.",
    ),
    "",
    `${ghosts.length} made-up customers used ${software.name} ${software.version} on ${at.slice(0, 10)};`,
    `they were looked for in ${encodings.length} encodings. What they did:`,
    ...report.steps.map((step) => `  - ${step}`),
    "",
    surfaceTable(out, report.surfaces),
    ...(complaints.length > 0
      ? ["", "Why it is not clean:", ...complaints.map((line) => `  - ${line}`)]
      : []),
    "",
    "What this does not cover:",
    ...notCovered.map((line) => `  - ${line}`),
  ].join("\n");
}

function surfaceTable(out: Output, surfaces: readonly SurfaceReport[]): string {
  const columns: Column<SurfaceReport>[] = [
    { title: "PLACE", value: ({ title }) => title },
    {
      title: "SEARCHED",
      value: ({ bytes, unpackedBytes }) => humanBytes(bytes + unpackedBytes),
      align: "right",
    },
    { title: "FILES", value: ({ sources }) => String(sources), align: "right" },
    {
      title: "CONTROLS",
      value: (surface) => `${foundOf(surface)} of ${surface.controls.length}`,
      align: "right",
      style: (surface) => (foundOf(surface) === surface.controls.length ? undefined : "yellow"),
    },
    {
      title: "TRACES",
      value: ({ hitsCount }) => String(hitsCount),
      align: "right",
      style: ({ hitsCount }) => (hitsCount > 0 ? "red" : undefined),
    },
  ];
  return out.table(columns, surfaces);
}

function foundOf({ controls }: SurfaceReport): number {
  return controls.filter(({ isFound }) => isFound).length;
}
