import { createHash, type KeyObject } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  AGENT_ARCHIVE_PATH,
  AGENT_RELEASE_PATH,
  AgentRelease,
  releaseText,
} from "@securewave/contracts/agent-release";
import { MINUTE_MS, SECOND_MS } from "@securewave/foundation";
import { Compile } from "typebox/compile";
import { isSignedBy } from "./credential.ts";
import { AgentError } from "./errors.ts";

const RELEASE_TIMEOUT_MS = 30 * SECOND_MS;
/** Also over a line of 1 Mbit/s. */
const ARCHIVE_TIMEOUT_MS = 20 * MINUTE_MS;

const wellFormed = Compile(AgentRelease);

/** Where the agent comes from, and by which key it is known. */
export interface ReleaseSource {
  /** Such as `https://vpn.example.org`. */
  readonly controlPlaneUrl: string;
  /** Pinned when joining. */
  readonly controlPlaneKey: KeyObject;
}

/**
 * Asks which agent the control plane has to give.
 *
 * @throws AgentError when it cannot be had, is for another platform, or is not signed by the pinned key
 */
export async function readRelease({
  controlPlaneUrl,
  controlPlaneKey,
}: ReleaseSource): Promise<AgentRelease> {
  const response = await ask(controlPlaneUrl, AGENT_RELEASE_PATH, RELEASE_TIMEOUT_MS);
  const release: unknown = await response.json().catch(() => undefined);
  if (!wellFormed.Check(release)) throw new AgentError("What describes the update is not well-formed.");
  if (!isSignedBy(controlPlaneKey, releaseText(release), release.signature)) {
    throw new AgentError(
      "The update is not signed by the control plane's key: somebody may stand in between.",
    );
  }
  const platform = `${process.platform}-${process.arch}`;
  if (release.platform !== platform) {
    throw new AgentError(
      `The control plane has the agent for ${release.platform}, this machine is ${platform}.`,
    );
  }
  return release;
}

/**
 * Fetches the archive of a release into a file, which is there only if it is the very one.
 *
 * @throws AgentError when it is not what was signed
 */
export async function downloadArchive(
  { controlPlaneUrl }: ReleaseSource,
  { sha256, size }: AgentRelease,
  path: string,
): Promise<void> {
  const { body } = await ask(controlPlaneUrl, AGENT_ARCHIVE_PATH, ARCHIVE_TIMEOUT_MS);
  if (body === null) throw new AgentError("The update has no content.");
  const hash = createHash("sha256");
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      done(bytes > size ? new AgentError("The update is longer than what was signed.") : null, chunk);
    },
  });
  try {
    await pipeline(Readable.fromWeb(body), measure, createWriteStream(path, { mode: 0o600 }));
    if (hash.digest("hex") !== sha256) throw new AgentError("The update is not the one that was signed.");
  } catch (error) {
    await rm(path, { force: true });
    throw error instanceof AgentError ? error : new AgentError("The download of the update broke off.");
  }
}

async function ask(controlPlaneUrl: string, path: string, timeoutMs: number): Promise<Response> {
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(`${controlPlaneUrl}${path}`, { signal, redirect: "error" }).catch(() => {
    throw new AgentError("The control plane could not be asked for the update.");
  });
  if (response.ok) return response;
  await response.body?.cancel();
  throw new AgentError(`The control plane answered ${response.status} when it was asked for the update.`);
}
