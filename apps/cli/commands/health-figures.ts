import type { NodeHealthSample } from "@securewave/contracts/nodes";
import { plain } from "../output.ts";

/** What is drawn of a node's last hour. */
export interface Figure {
  readonly name: string;
  readonly text: (sample: NodeHealthSample) => string | undefined;
  /** How high it is drawn; undefined where nothing is known. */
  readonly height: (sample: NodeHealthSample) => number | undefined;
  /** What a full block stands for; the greatest of the hour if not given. */
  readonly max?: number;
}

export const FIGURES: readonly Figure[] = [
  share("Processor", ({ processor }) => processor),
  share("Memory", ({ memory }) => memory),
  range("Throughput", ({ throughput }) => throughput),
  range("Connected", ({ connected }) => connected),
  time("Handshake", ({ handshake_ms }) => handshake_ms),
  time("Echo", ({ echo_ms }) => echo_ms),
  share("Probes lost", ({ probes_lost }) => probes_lost),
  {
    name: "Packets dropped",
    text: ({ troubles }) => (troubles === null ? undefined : String(troubles)),
    height: ({ troubles }) => troubles ?? undefined,
  },
];

type Of<Value> = (sample: NodeHealthSample) => Value | null;

function share(name: string, pick: Of<number>): Figure {
  return {
    name,
    text: (sample) => percent(pick(sample)),
    height: (sample) => pick(sample) ?? undefined,
    max: 1,
  };
}

function time(name: string, pick: Of<number>): Figure {
  return {
    name,
    text: (sample) => milliseconds(pick(sample)),
    height: (sample) => pick(sample) ?? undefined,
  };
}

function range(name: string, pick: Of<string>): Figure {
  return {
    name,
    text: (sample) => plain(pick(sample) ?? "") || undefined,
    height: (sample) => stepOf(pick(sample)),
  };
}

/** `12 %` of a share of 0…1. */
export function percent(share: number | null): string | undefined {
  return share === null ? undefined : `${Math.round(share * 100)} %`;
}

export function milliseconds(ms: number | null | undefined): string | undefined {
  if (ms === null || ms === undefined) return undefined;
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** A range is drawn by its lower end, evenly for each power of ten; `<1 Mbit/s` at the bottom. */
function stepOf(range: string | null): number | undefined {
  const [, below, digits, unit] =
    /^(<?)(\d+(?:\.\d+)?).*?([MG]bit)?(?:\/s)?(?: or more)?$/.exec(range ?? "") ?? [];
  if (digits === undefined) return undefined;
  return below ? 0 : Math.log10(1 + Number(digits) * (unit === "Gbit" ? 1000 : 1));
}
