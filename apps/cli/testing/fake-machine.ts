import type { Machine } from "../doctor/machine.ts";

const LOCK = JSON.stringify({
  packages: {
    "": { name: "securewave" },
    "node_modules/one": { version: "1.0.0" },
    "node_modules/other-system": { version: "2.0.0", optional: true },
  },
});
const INSTALLED = JSON.stringify({ packages: { "node_modules/one": { version: "1.0.0" } } });

/** The files of a machine on which all is well. */
export const HEALTHY_FILES: Readonly<Record<string, string>> = {
  "/project/package-lock.json": LOCK,
  "/project/node_modules/.package-lock.json": INSTALLED,
  "/etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
};

/** A machine on which all is well, but for what the test says. */
export function fakeMachine(changes: Partial<Machine> = {}): Machine {
  return {
    platform: "linux",
    arch: "x64",
    nodeVersion: "24.21.0",
    uid: 0,
    projectDir: "/project",
    workingDir: "/project",
    readText: async (path) => HEALTHY_FILES[path],
    exists: () => true,
    stat: async () => undefined,
    canWrite: async () => true,
    canOpenDevice: async () => true,
    freeBytes: async () => 50e9,
    run: async (program) => ({ succeeded: true, stdout: `${program} 1.2.3\n` }),
    tryTcpPort: async () => "free",
    tryUdpPort: async () => "free",
    get: async () => undefined,
    ...changes,
  };
}
