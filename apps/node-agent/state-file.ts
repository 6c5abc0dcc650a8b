import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { InterfaceSpec, PeerSpec, Tiers } from "@securewave/contracts/node-protocol";
import { Id, Nullable, Strict } from "@securewave/contracts/schemas";
import { SECOND_MS } from "@securewave/foundation";
import type { Peer, PublicKey } from "@securewave/wireguard";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { parsePeerSpec, toPeerSpec } from "./peer-spec.ts";

const FORMAT = 1;
const WRITE_DELAY_MS = SECOND_MS;
/** Peers put into text before other work gets its turn: below a millisecond. */
const PEERS_PER_TURN = 500;

const SavedState = Strict({
  format: Type.Literal(FORMAT),
  node_id: Id("node"),
  revision: Nullable(Type.Integer({ minimum: 0 })),
  interface: InterfaceSpec,
  hash: Type.String({ pattern: "^[0-9a-f]{64}$", description: "Of what the interface had" }),
  /** Files of agents before version 3 of the protocol have neither speeds nor tiers. */
  speeds: Type.Optional(Tiers.properties.speeds),
  peers: Type.Array(Strict({ ...PeerSpec.properties, tier: Type.Optional(PeerSpec.properties.tier) })),
});
const savedState = Compile(SavedState);

export type SavedState = Omit<Static<typeof SavedState>, "format" | "node_id" | "peers"> & {
  readonly peers: readonly Peer[];
  /** Of the peers that have one. */
  readonly tiers: ReadonlyMap<PublicKey, number>;
};

/**
 * Where the last state outlives the agent, so that a restarted one serves while the control plane is away. It belongs
 * on a memory disk: it must not outlive the machine.
 */
export interface StateFile {
  /** `bad` when there is a file that cannot be trusted; it is set aside with the ending `.bad`. */
  read(): Promise<SavedState | "bad" | undefined>;
  /**
   * Has the state written a second later, at most once a second.
   *
   * @param describe is called when it is written
   */
  save(describe: () => SavedState | undefined): void;
  /** Writes at once what waits to be written. */
  flush(): Promise<void>;
  /** Forgets the state. */
  remove(): Promise<void>;
}

/** For an agent that keeps nothing. */
export const noStateFile: StateFile = {
  read: async () => undefined,
  save: () => undefined,
  flush: async () => undefined,
  remove: async () => undefined,
};

export interface StateFileOptions {
  readonly path: string;
  /** A state of another node is not trusted. */
  readonly nodeId: string;
  readonly onError: (error: unknown) => void;
}

export function createStateFile({ path, nodeId, onError }: StateFileOptions): StateFile {
  let waiting: (() => SavedState | undefined) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let tail: Promise<void> = Promise.resolve();

  function writeWaiting(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    tail = tail.then(async () => {
      const state = waiting?.();
      waiting = undefined;
      if (state !== undefined) await write(state);
    });
    tail = tail.catch(onError);
    return tail;
  }

  async function write({ peers, tiers, ...rest }: SavedState): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const temporary = `${path}.new`;
    await rm(temporary, { force: true });
    const file = await open(temporary, "wx", 0o600);
    try {
      const head = JSON.stringify({ format: FORMAT, node_id: nodeId, ...rest });
      await file.write(`${head.slice(0, -1)},"peers":[`);
      for (let at = 0; at < peers.length; at += PEERS_PER_TURN) {
        const texts = peers
          .slice(at, at + PEERS_PER_TURN)
          .map((peer) => JSON.stringify(toPeerSpec(peer, tiers.get(peer.publicKey) ?? 0)));
        await file.write(`${at > 0 ? "," : ""}${texts.join(",\n")}`);
        await yieldToOthers();
      }
      await file.write("]}\n");
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  }

  return {
    async read() {
      const text = await readFile(path, "utf8").catch(ignoreMissing);
      if (text === undefined) return undefined;
      const state = parseSavedState(text, nodeId);
      if (state === undefined) await rename(path, `${path}.bad`);
      return state ?? "bad";
    },
    save(describe) {
      waiting = describe;
      timer ??= setTimeout(writeWaiting, WRITE_DELAY_MS);
    },
    flush: writeWaiting,
    async remove() {
      clearTimeout(timer);
      waiting = undefined;
      await tail;
      for (const ending of ["", ".new", ".bad"]) await rm(`${path}${ending}`, { force: true });
    },
  };
}

function parseSavedState(text: string, nodeId: string): SavedState | undefined {
  const saved = parseJson(text);
  if (!savedState.Check(saved) || saved.node_id !== nodeId) return undefined;
  const peers: Peer[] = [];
  const tiers = new Map<PublicKey, number>();
  for (const { tier = 0, ...spec } of saved.peers) {
    const peer = parsePeerSpec(spec);
    if (peer === undefined) return undefined;
    peers.push(peer);
    if (tier > 0) tiers.set(peer.publicKey, tier);
  }
  const { hash, speeds } = saved;
  // Of an agent that knew no tiers: without a revision the control plane sends the whole, and they are in that.
  const revision = saved.peers.some(({ tier }) => tier === undefined) ? null : saved.revision;
  return { revision, interface: saved.interface, hash, ...(speeds && { speeds }), peers, tiers };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
