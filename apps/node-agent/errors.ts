import { InvariantError } from "@securewave/foundation";

/** Something the operator of the VPN server can mend. The message says how and holds no key, address or token. */
export class AgentError extends Error {
  override readonly name = "AgentError";
}

/** Staff removed the node; nothing of it is left on this machine. */
export class NodeRemovedError extends AgentError {
  constructor(name: string) {
    super(
      `${name} was removed from its control plane. Its tunnels are down and its keys are gone. To serve again, make a node in the console and run the command it shows.`,
    );
  }
}

/** Why something failed, in words fit for the log and the control plane: messages of other programs stay out. */
export function describeError(error: unknown): string {
  if (error instanceof AgentError || error instanceof InvariantError) return error.message;
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return `The system answered ${error.code}.`;
  }
  return "Something unexpected went wrong.";
}
