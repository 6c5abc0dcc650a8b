import { chmod, copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { resolverPath } from "./namespaces.ts";
import { randomSuffix } from "./random-suffix.ts";
import { run, runOrThrow } from "./run.ts";
import { temporaryDir } from "./temporary.ts";

export interface WireGuardClient {
  readonly namespace: string;
  readonly interfaceName: string;
  /** `wg show <interface> dump` as it is. */
  dump(): Promise<string>;
  /** The name servers that programs in the namespace use at this moment. */
  nameServers(): Promise<string[]>;
  /** Takes the tunnel down with `wg-quick down`; a second call does nothing. */
  down(): Promise<void>;
}

/**
 * Brings a customer's configuration up, unchanged, with `wg-quick` inside a namespace.
 *
 * wg-quick itself falls back to wireguard-go where the kernel has no WireGuard. Its `DNS` lines go through a
 * stand-in for `resolvconf`, which writes the namespace's own /etc/resolv.conf (ip-netns(8)) and never the machine's.
 *
 * @param configuration the text of the `.conf` file as the customer gets it
 * @throws with the output of wg-quick when it refuses the configuration
 */
export async function connectWireGuard(namespace: string, configuration: string): Promise<WireGuardClient> {
  // wireguard-go keeps the control sockets of all namespaces in one folder, so the name is unique on the machine.
  const interfaceName = `wgc-${randomSuffix()}`;
  const dir = temporaryDir("wireguard");
  const filePath = join(dir.path, `${interfaceName}.conf`);
  await writeFile(filePath, configuration, { mode: 0o600 });
  const standIn = join(dir.path, "resolvconf");
  await copyFile(fileURLToPath(new URL("./stand-ins/resolvconf", import.meta.url)), standIn);
  await chmod(standIn, 0o700);

  const wgQuick = async (verb: "up" | "down") => {
    await runOrThrow("wg-quick", [verb, filePath], {
      namespace,
      env: {
        PATH: `${dir.path}:${process.env.PATH}`,
        LAB_RESOLVER_PATH: resolverPath(namespace),
        // With a level set, the daemon would hold our pipes open.
        LOG_LEVEL: undefined,
      },
    });
  };
  try {
    await wgQuick("up");
    if ((await readFile(filePath, "utf8")) !== configuration)
      throw new Error("wg-quick changed the configuration");
  } catch (error) {
    await run("ip", ["-n", namespace, "link", "del", interfaceName]);
    dir.remove();
    throw error;
  }
  let isUp = true;
  return {
    namespace,
    interfaceName,
    dump: async () => (await runOrThrow("wg", ["show", interfaceName, "dump"], { namespace })).stdout,
    nameServers: async () => {
      const text = (await runOrThrow("cat", ["/etc/resolv.conf"], { namespace })).stdout;
      return [...text.matchAll(/^nameserver (\S+)$/gm)].flatMap((match) => match[1] ?? []);
    },
    down: async () => {
      if (!isUp) return;
      isUp = false;
      await wgQuick("down");
      dir.remove();
    },
  };
}
