import { createSocket } from "node:dgram";
import { AgentError } from "./errors.ts";

/** @throws AgentError when another program has the UDP port */
export async function checkPort(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.once("error", () => {
      socket.close();
      reject(
        new AgentError(
          `UDP port ${port} is taken by another program. Find it with: ss -ulpn; or choose another with --listen-port.`,
        ),
      );
    });
    socket.bind({ port, exclusive: true }, () => socket.close(() => resolve()));
  });
}
