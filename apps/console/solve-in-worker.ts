import workerUrl from "./challenge-worker.ts?worker&url";
import type { Solve, WorkerMessage } from "./proof-of-work.ts";

/** Does the work beside the page; in the page itself where the browser lets it start no worker. */
export const solveInWorker: Solve = async (challenge, onProgress, signal) => {
  const worker = openWorker();
  if (worker === undefined) return solveHere(challenge, onProgress, signal);
  try {
    return await answerOf(worker, challenge, onProgress, signal);
  } catch (error) {
    if (error !== NO_WORKER) throw error;
    return await solveHere(challenge, onProgress, signal);
  } finally {
    worker.terminate();
  }
};

/** The worker's file could not be loaded or started. */
const NO_WORKER = Symbol("no worker");

function answerOf(
  worker: Worker,
  challenge: string,
  onProgress: (done: number) => void,
  signal?: AbortSignal,
) {
  return new Promise<string>((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    worker.onerror = () => reject(NO_WORKER);
    worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      if ("done" in data) onProgress(data.done);
      else if ("solution" in data) resolve(data.solution);
      else reject(new Error(data.problem));
    };
    worker.postMessage(challenge);
  });
}

async function solveHere(...[challenge, onProgress, signal]: Parameters<Solve>): Promise<string> {
  const { solveChallenge } = await import("@securewave/contracts/challenge");
  return solveChallenge(challenge, { onProgress, ...(signal && { signal }) });
}

/** A policy that lets pages name scripts passes this one only. @see https://www.w3.org/TR/trusted-types/ */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

let trustedUrl: string | undefined;

function trustWorkerUrl(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy("securewave-worker", { createScriptURL: () => workerUrl });
  return policy?.createScriptURL(workerUrl) ?? workerUrl;
}

function openWorker(): Worker | undefined {
  try {
    trustedUrl ??= trustWorkerUrl();
    return new Worker(trustedUrl, { type: "module" });
  } catch {
    return undefined;
  }
}
