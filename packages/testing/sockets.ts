import type { Socket } from "node:net";

/**
 * Passes bytes between two sockets both ways; when one breaks, so does the other.
 *
 * @param open holds both while they last
 */
export function joinSockets(a: Socket, b: Socket, open: Set<Socket> = new Set()): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    open.add(from);
    from.setNoDelay(true);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      open.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }
}
