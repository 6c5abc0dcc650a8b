import { spawnSync } from "node:child_process";
import { accessSync, closeSync, constants, openSync } from "node:fs";
import { delimiter, join } from "node:path";
import { randomSuffix } from "./random-suffix.ts";

/** What a test needs from the machine. */
export interface Needs {
  root?: boolean;
  /** Programs that must be on the path. */
  tools?: readonly string[];
  /** Device files that must open for reading and writing. */
  devices?: readonly string[];
  /** Whether network namespaces must be possible: root in a container may not make them. */
  networkNamespaces?: boolean;
  /** Anything else: a sentence for each thing that is missing, nothing for what is there. */
  others?: readonly (string | undefined)[];
}

export interface Requirements {
  readonly ok: boolean;
  /** What is missing, for people; empty when `ok`. */
  readonly reason: string;
  /** The name of the suite, with the reason behind it when it cannot run: the list of skipped tests shows it. */
  title(name: string): string;
}

const MARK = "cannot run here: ";

/**
 * Looks at the machine for what a suite needs.
 *
 * ```ts
 * const lab = requirements({ root: true, tools: ["wg"], networkNamespaces: true });
 * describe.skipIf(!lab.ok)(lab.title("a customer's tunnel"), () => { … });
 * ```
 */
export function requirements(needs: Needs): Requirements {
  const missing: string[] = [];
  const isRoot = process.getuid?.() === 0;
  if (needs.root && !isRoot) missing.push("root");
  const tools = (needs.tools ?? []).filter((tool) => !hasTool(tool));
  if (tools.length > 0)
    missing.push(tools.length === 1 ? `the program ${tools[0]}` : `the programs ${tools.join(", ")}`);
  missing.push(...(needs.devices ?? []).filter((device) => !opens(device)));
  if (needs.networkNamespaces && !canMakeNamespaces()) missing.push("the right to make network namespaces");
  for (const other of needs.others ?? []) if (other !== undefined) missing.push(other);
  const reason = missing.length === 0 ? "" : `needs ${missing.join("; ")}`;
  return {
    ok: reason === "",
    reason,
    title: (name) => (reason === "" ? name : `${name} [${MARK}${reason}]`),
  };
}

/** The reason that `title` wrote into a test's full name, and the name without it. */
export function readReason(fullName: string): { name: string; reason: string | undefined } {
  const found = /^(.*?) \[cannot run here: (.*?)\](.*)$/s.exec(fullName);
  if (found === null) return { name: fullName, reason: undefined };
  return { name: `${found[1]}${found[3]}`, reason: found[2] };
}

/** Whether a program is on the path, or in the folders for administrators that a plain user's path leaves out. */
export function hasTool(tool: string): boolean {
  const dirs = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return dirs.some((dir) => {
    try {
      accessSync(join(dir, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function opens(device: string): boolean {
  try {
    closeSync(openSync(device, "r+"));
    return true;
  } catch {
    return false;
  }
}

/** Tries it, since neither the user nor the capabilities tell: a container's seccomp profile may refuse. */
function canMakeNamespaces(): boolean {
  if (process.getuid?.() !== 0 || !hasTool("ip")) return false;
  const name = `securewave-probe-${randomSuffix()}`;
  const isMade = spawnSync("ip", ["netns", "add", name]).status === 0;
  const isUsable =
    isMade && spawnSync("ip", ["netns", "exec", name, "ip", "link", "set", "lo", "up"]).status === 0;
  if (isMade) spawnSync("ip", ["netns", "del", name]);
  return isUsable;
}
