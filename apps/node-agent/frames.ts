import {
  Challenge,
  Change,
  Interface,
  type PlaneFrame,
  Refused,
  Snapshot,
} from "@securewave/contracts/node-protocol";
import { Compile } from "typebox/compile";

const challenge = Compile(Challenge);
const wireguardInterface = Compile(Interface);
const snapshot = Compile(Snapshot);
const change = Compile(Change);
const refused = Compile(Refused);

/** Reads a frame of the control plane; undefined when it is none. Its type is looked at first: a union tries all. */
export function parsePlaneFrame(text: string): PlaneFrame | undefined {
  const frame = parseTyped(text);
  switch (frame?.type) {
    case "challenge":
      return challenge.Check(frame) ? frame : undefined;
    case "interface":
      return wireguardInterface.Check(frame) ? frame : undefined;
    case "snapshot":
      return snapshot.Check(frame) ? frame : undefined;
    case "change":
      return change.Check(frame) ? frame : undefined;
    case "refused":
      return refused.Check(frame) ? frame : undefined;
    default:
      return undefined;
  }
}

function parseTyped(text: string): { type: unknown } | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === "object" && frame !== null && "type" in frame ? frame : undefined;
  } catch {
    return undefined;
  }
}
