/** The worker that does the proof of work, so that the page stays awake meanwhile. */
import { solveChallenge } from "@securewave/contracts/challenge";
import type { WorkerMessage } from "./proof-of-work.ts";

function tell(message: WorkerMessage): void {
  postMessage(message);
}

addEventListener("message", async ({ data: challenge }: MessageEvent<string>) => {
  try {
    tell({ solution: await solveChallenge(challenge, { onProgress: (done) => tell({ done }) }) });
  } catch (error) {
    tell({ problem: String(error) });
  }
});
