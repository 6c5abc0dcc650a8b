import { join } from "node:path";
import { type Check, fail, ok, warn } from "./check.ts";
import type { Machine } from "./machine.ts";

const NODE_MAJOR_NEEDED = 24;
const PACKAGES_NAMED_MAX = 3;

/** Node.js, the npm packages, the operating system, the user. */
export async function checkSoftware(machine: Machine): Promise<Check[]> {
  return [checkNode(machine), await checkPackages(machine), await checkSystem(machine), checkUser(machine)];
}

function checkNode({ nodeVersion }: Machine): Check {
  const name = "Node.js";
  if (Number(nodeVersion.split(".")[0]) >= NODE_MAJOR_NEEDED) return ok(name, nodeVersion);
  return fail(
    name,
    `${nodeVersion} is older than ${NODE_MAJOR_NEEDED}`,
    "Run npm ci, which brings a newer one on Linux, or install it from https://nodejs.org/en/download",
  );
}

async function checkPackages(machine: Machine): Promise<Check> {
  const name = "npm packages";
  const { projectDir } = machine;
  if (projectDir === undefined) return ok(name, "this program does not stand in a checkout");
  const wanted = parsePackages(await machine.readText(join(projectDir, "package-lock.json")));
  const installed = parsePackages(
    await machine.readText(join(projectDir, "node_modules", ".package-lock.json")),
  );
  const mend = `Run npm ci in ${projectDir}`;
  if (wanted === undefined)
    return fail(name, "package-lock.json cannot be read", "Get a complete copy of the project");
  if (installed === undefined) return fail(name, "not installed", mend);
  const wrong = [...wanted].filter(([path, entry]) => {
    if (!path.includes("node_modules/") || entry.link) return false;
    const found = installed.get(path);
    return found === undefined ? !entry.isOptional : found.version !== entry.version;
  });
  if (wrong.length === 0) return ok(name, `${installed.size} installed, as package-lock.json wants them`);
  const names = wrong.slice(0, PACKAGES_NAMED_MAX).map(([path]) => path.replace(/^.*node_modules\//, ""));
  const more = wrong.length > names.length ? ` and ${wrong.length - names.length} more` : "";
  return fail(name, `missing or of another version: ${names.join(", ")}${more}`, mend);
}

interface PackageEntry {
  readonly version: unknown;
  readonly isOptional: boolean;
  readonly link: boolean;
}

/** The packages of a lock file by their path; undefined when it is none. */
function parsePackages(text: string | undefined): Map<string, PackageEntry> | undefined {
  let lock: unknown;
  try {
    lock = JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
  if (!isRecord(lock) || !isRecord(lock.packages)) return undefined;
  const packages = new Map<string, PackageEntry>();
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (!isRecord(entry)) return undefined;
    const isOptional = entry.optional === true || entry.peer === true;
    packages.set(path, { version: entry.version, isOptional, link: entry.link === true });
  }
  return packages;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

async function checkSystem(machine: Machine): Promise<Check> {
  const name = "Operating system";
  const { platform, arch } = machine;
  if (platform !== "linux") {
    return warn(
      name,
      `${platform} ${arch}`,
      "The service and nodes run on Linux; the command works here as well.",
    );
  }
  const release = await machine.readText("/etc/os-release");
  const pretty = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release ?? "")?.[1];
  return ok(name, `${pretty ?? "Linux"}, ${arch}`);
}

function checkUser({ uid, platform }: Machine): Check {
  const name = "User";
  if (uid === 0) return ok(name, "root, so this machine can be a VPN server itself");
  if (platform !== "linux") return ok(name, "not root");
  return warn(
    name,
    "not root, so no local VPN server is started",
    "Run as root for one, or add a node elsewhere: securewave nodes add",
  );
}
