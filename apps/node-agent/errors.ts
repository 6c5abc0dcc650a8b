import { InvariantError } from "@securewave/foundation";

/** Something the operator of the VPN server can mend. The message says how and holds no key, address or token. */
export class AgentError extends Error {
  override readonly name = "AgentError";
}

/** Why something failed, in words fit for the log and the control plane: messages of other programs stay out. */
export function describeError(error: unknown): string {
  if (error instanceof AgentError || error instanceof InvariantError) return error.message;
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return `The system answered ${error.code}.`;
  }
  return "Something unexpected went wrong.";
}
