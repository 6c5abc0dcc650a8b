import { existsSync, rmSync, writeFileSync } from "node:fs";
import { hasTool } from "../packages/testing/requirements.ts";
import { runCommand } from "./commands.ts";

/** Debian asks this program whether a package may start its service; 101 means no. See invoke-rc.d(8). */
const POLICY_PATH = "/usr/sbin/policy-rc.d";
const POLICY = "#!/bin/sh\n# Written by SecureWave's npm test while it installs packages.\nexit 101\n";

/** Installs packages whose services are to run in tests only: none starts, neither now nor with the machine. */
export async function installQuietly(
  install: () => Promise<boolean>,
  services: readonly string[],
): Promise<boolean> {
  const hasOwnPolicy = existsSync(POLICY_PATH);
  if (!hasOwnPolicy) writeFileSync(POLICY_PATH, POLICY, { mode: 0o755 });
  try {
    const isDone = await install();
    if (isDone && services.length > 0 && hasTool("systemctl"))
      await runCommand("systemctl", ["disable", ...services], {});
    return isDone;
  } finally {
    if (!hasOwnPolicy) rmSync(POLICY_PATH, { force: true });
  }
}
