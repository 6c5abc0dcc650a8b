import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { eventually, startProcess, temporaryDir } from "@securewave/testing";

/** What the control plane says to an agent about a batch. */
export type BatchWord = "close" | "settled";

const HEARS_WITHIN_MS = 30_000;
const REPORTS_WITHIN_MS = 60_000;
/** RFC 6455 §5.2: a final frame of binary data. */
const BINARY_FRAME = 0x82;

/** An agent's way to the control plane, which breaks when it is told to. */
export interface AgentLink {
  /** Ends what is open and refuses what comes. */
  cut(): void;
  /** Nothing comes through any more, and neither side is told. */
  hush(): void;
  /** Lets through what waited and what comes. */
  mend(): void;
  /**
   * Waits until the control plane says this to the agent.
   *
   * @param isLost cuts the link before the agent hears it
   */
  hears(word: BatchWord, isLost?: "lost"): Promise<void>;
  /** Waits until the control plane has taken in a report that the agent began after this call. */
  reports(): Promise<void>;
  close(): Promise<void>;
}

/** The end inside the namespace. Arguments: address, port, the Unix socket that all goes to. */
const ENTRANCE = `
const { connect, createServer } = require("node:net");
const [address, port, path] = process.argv.slice(1);
createServer((outer) => {
  const inner = connect(path);
  for (const [from, to] of [[outer, inner], [inner, outer]]) {
    from.on("error", () => to.destroy()).on("close", () => to.destroy()).pipe(to);
  }
}).listen(Number(port), address, () => console.log("listening"));`;

/** Opens a port inside a namespace that leads to one on 127.0.0.1 of this process. */
export async function openAgentLink(
  namespace: string,
  entrance: { readonly address: string; readonly port: number },
  target: { readonly port: number },
): Promise<AgentLink> {
  const dir = temporaryDir("link");
  const path = join(dir.path, "socket");
  const inside = await startProcess({
    command: process.execPath,
    args: ["-e", ENTRANCE, entrance.address, String(entrance.port), path],
    namespace,
    readyWhen: /^listening$/,
  });
  const open = new Set<Socket>();
  const waiting = new Map<BatchWord, { resolve(): void; readonly isLost: boolean }>();
  let state: "open" | "cut" | "hushed" = "open";
  /** Binary frames that came to the control plane. */
  let figures = 0;

  function cut(): void {
    state = "cut";
    for (const socket of open) socket.destroy();
  }

  /** @returns whether what was said is lost */
  function overhear(said: Buffer): boolean {
    for (const [word, { resolve, isLost }] of waiting) {
      if (!said.includes(`"type":"${word}"`)) continue;
      waiting.delete(word);
      if (isLost) cut();
      resolve();
      return isLost;
    }
    return false;
  }

  function pass(from: Socket, to: Socket, isLost: (bytes: Buffer) => boolean): void {
    open.add(from);
    from.setNoDelay(true);
    if (state === "hushed") from.pause();
    from.on("data", (bytes) => {
      if (!isLost(bytes)) to.write(bytes);
    });
    from.on("error", () => to.destroy());
    from.on("close", () => {
      open.delete(from);
      to.destroy();
    });
  }

  const server = createServer((agent) => {
    if (state === "cut") {
      agent.destroy();
      return;
    }
    const plane = connect(target.port, "127.0.0.1");
    pass(agent, plane, ([first]) => {
      if (first === BINARY_FRAME) figures++;
      return false;
    });
    pass(plane, agent, overhear);
  });
  server.listen(path);
  await once(server, "listening");
  return {
    cut,
    hush() {
      state = "hushed";
      for (const socket of open) socket.pause();
    },
    mend() {
      state = "open";
      for (const socket of open) socket.resume();
    },
    hears: (word, isLost) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`the agent was not told ${word}`)), HEARS_WITHIN_MS);
        waiting.set(word, {
          resolve() {
            clearTimeout(timer);
            resolve();
          },
          isLost: isLost === "lost",
        });
      }),
    async reports() {
      // The first may have been begun before, the last may not have been taken in yet.
      const wanted = figures + 3;
      await eventually(
        () => {
          if (figures < wanted) throw new Error("the agent does not report");
        },
        { timeoutMs: REPORTS_WITHIN_MS },
      );
    },
    async close() {
      cut();
      server.close();
      await inside.stop();
      dir.remove();
    },
  };
}
