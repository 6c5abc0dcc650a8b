import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { RedisCommand } from "@securewave/privacy";

/** Hears every command that a Redis is given, also within scripts. */
export function openMonitor(port: number) {
  const lines: string[] = [];
  const socket = connect(port, "127.0.0.1");
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\r\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
  });
  socket.write("MONITOR\r\n");
  return {
    commands: () => lines.map(readCommand).filter((command) => command !== undefined),
    close: () => socket.destroy(),
  };
}

/** `+1700000000.1 [0 127.0.0.1:4000] "SET" "name"` */
function readCommand(line: string): RedisCommand | undefined {
  const [name, ...args] = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, part = ""]) => part);
  return name === undefined ? undefined : { name: name.toLowerCase(), args };
}

/** Every name that a Redis has, and in how many milliseconds it ends; -1 for never. */
export async function lifetimesIn(port: number): Promise<{ name: string; lifeMs: number }[]> {
  const script =
    "local out = '' for _, k in ipairs(redis.call('KEYS', '*')) do out = out .. k .. ' ' .. redis.call('PTTL', k) .. ';' end return out";
  const socket = connect(port, "127.0.0.1");
  socket.end(`EVAL "${script}" 0\r\nQUIT\r\n`);
  const answer = await text(socket);
  return [...answer.matchAll(/([^;\s]+) (-?\d+);/g)].map(([, name = "", lifeMs]) => ({
    name,
    lifeMs: Number(lifeMs),
  }));
}
