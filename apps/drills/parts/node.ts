import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Drill } from "../drill.ts";
import { AGENT_VERSION } from "../version.ts";
import type { NodeOrder } from "./node-process.ts";
import { type Program, startProgram } from "./programs.ts";
import type { Service } from "./service.ts";

const PROGRAM = fileURLToPath(new URL("node-process.ts", import.meta.url));

export interface Node {
  readonly id: string;
  readonly name: string;
  readonly program: Program;
  /** Waits until it has a peer of this key. */
  holds(publicKey: string): Promise<unknown>;
}

/** Adds a VPN server to a service, and waits until it is connected. It ends with the drill. */
export async function startNode(drill: Drill, service: Service, name: string): Promise<Node> {
  const { client } = await service.admin();
  const { node, join: joining } = await client.nodes.create({ body: { name, region: "Nowhere" } });
  const path = join(drill.dir, `${name}.json`);
  const order: NodeOrder = {
    url: service.url,
    joinToken: joining.join_token,
    agentVersion: AGENT_VERSION,
  };
  await writeFile(path, JSON.stringify(order), { mode: 0o600 });
  const program = startProgram(drill, process.execPath, { args: [PROGRAM, path], cwd: drill.dir });
  await program.waitFor(/^connected$/);
  return {
    id: node.id,
    name,
    program,
    holds: (publicKey) => program.waitFor(new RegExp(`^holds ${publicKey.replace(/[+/]/g, "\\$&")}$`)),
  };
}
