import { solveChallenge } from "@securewave/contracts/challenge";
import type { Call } from "../call.ts";

/** Does the proof of work that a service under attack wants, and tells people on a terminal how far it is. */
export async function solve({ environment: { stderr }, out }: Call, challenge: string): Promise<string> {
  if (stderr.isTTY !== true || out.json) return solveChallenge(challenge);
  let shown = "";
  const show = (line: string) => {
    if (line === shown) return;
    // Back to the line's beginning, and clear what follows.
    stderr.write(`\r${line}\u001b[K`);
    shown = line;
  };
  out.note(
    "Much is going on at this service, so this machine shows with a little arithmetic that you are not a robot.",
  );
  try {
    return await solveChallenge(challenge, {
      onProgress: (share) => show(`One moment: ${Math.floor(share * 100)} %`),
    });
  } finally {
    show("");
  }
}
