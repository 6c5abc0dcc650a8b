import {
  Challenge,
  Change,
  Close,
  Interface,
  type PlaneFrame,
  Recount,
  Refused,
  Release,
  Renew,
  Renewed,
  Restrict,
  Settled,
  Snapshot,
  Tiers,
} from "@securewave/contracts/node-protocol";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";

const CHECKS: { readonly [Type in PlaneFrame["type"]]: (frame: unknown) => boolean } = {
  challenge: checkOf(Challenge),
  release: checkOf(Release),
  interface: checkOf(Interface),
  tiers: checkOf(Tiers),
  snapshot: checkOf(Snapshot),
  change: checkOf(Change),
  close: checkOf(Close),
  settled: checkOf(Settled),
  recount: checkOf(Recount),
  restrict: checkOf(Restrict),
  renew: checkOf(Renew),
  renewed: checkOf(Renewed),
  refused: checkOf(Refused),
};

function checkOf(schema: TSchema): (frame: unknown) => boolean {
  const compiled = Compile(schema);
  return (frame) => compiled.Check(frame);
}

/** Reads a frame of the control plane; undefined when it is none. Its type is looked at first: a union tries all. */
export function parsePlaneFrame(text: string): PlaneFrame | undefined {
  const frame = parseTyped(text);
  return frame && isPlaneFrame(frame) ? frame : undefined;
}

function isPlaneFrame(frame: { type: unknown }): frame is PlaneFrame {
  return isType(frame.type) && CHECKS[frame.type](frame);
}

function isType(type: unknown): type is PlaneFrame["type"] {
  return typeof type === "string" && Object.hasOwn(CHECKS, type);
}

function parseTyped(text: string): { type: unknown } | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === "object" && frame !== null && "type" in frame ? frame : undefined;
  } catch {
    return undefined;
  }
}
