import { humanBytes } from "../human.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import { type Machine, nearestExisting } from "./machine.ts";
import type { ServiceSettings } from "./settings.ts";

/** An empty embedded store with its write-ahead log takes some 100 MB. */
const FREE_BYTES_MIN = 300e6;
const FREE_BYTES_GOOD = 2e9;

/** Settings file, user namespaces, data folder, disk. */
export async function checkStore(machine: Machine, settings: ServiceSettings): Promise<Check[]> {
  return [
    checkSettings(settings),
    ...(settings.usesOwnDatabase ? [] : [await checkUserNamespaces(machine)]),
    ...(await checkDataDir(machine, settings.dataDir)),
  ];
}

function checkSettings({ path, isThere, mistakes }: ServiceSettings): Check {
  const name = "Settings";
  if (mistakes.length > 0)
    return fail(name, mistakes.join("; "), `Mend ${path}, or the variable in the environment`);
  return ok(name, isThere ? path : `all from defaults and the environment; a file would be ${path}`);
}

/** PostgreSQL refuses to run as root, so as root the embedded store runs in a user namespace of its own. */
async function checkUserNamespaces(machine: Machine): Promise<Check> {
  const name = "User namespaces";
  if (machine.uid !== 0) return ok(name, "not needed without root");
  if ((await machine.run("unshare", ["-U", "true"]))?.succeeded) return ok(name, "can be made");
  return warn(
    name,
    "cannot be made: as root, a new embedded store then runs as the user nobody, and one that root owns does not start",
    "Allow them: sysctl -w user.max_user_namespaces=10000; or start as another user; or set DATABASE_URL",
  );
}

async function checkDataDir(machine: Machine, dataDir: string): Promise<Check[]> {
  const standing = nearestExisting(machine, dataDir);
  const isThere = standing === dataDir;
  const folder = (await machine.canWrite(standing))
    ? ok("Data folder", isThere ? `${dataDir} is writable` : `${dataDir} will be made`)
    : fail(
        "Data folder",
        `${standing} is not writable`,
        `Give yourself the folder, or set DATA_DIR to another one`,
      );
  return [folder, checkDisk(standing, await machine.freeBytes(standing))];
}

function checkDisk(path: string, freeBytes: number | undefined): Check {
  const name = "Disk space";
  if (freeBytes === undefined) return warn(name, `cannot be read at ${path}`, "Look yourself: df");
  const finding = `${humanBytes(freeBytes)} free at ${path}`;
  if (freeBytes < FREE_BYTES_MIN) return fail(name, finding, "Make room, or set DATA_DIR to a larger disk");
  if (freeBytes < FREE_BYTES_GOOD) return warn(name, finding, "Make room before it runs full");
  return ok(name, finding);
}
