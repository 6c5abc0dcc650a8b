import { requestErrors } from "@securewave/contracts";
import { AGENT_ARCHIVE_PATH, AGENT_RELEASE_PATH, INSTALLER_PATH } from "@securewave/contracts/agent-release";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { OriginOf } from "../../http/own-origin.ts";
import type { AgentFiles } from "./agent-files.ts";

/** Serves to everybody what a VPN server is installed from. Copies are kept by checksum and asked for anew each time. */
export function addInstallFiles(app: FastifyInstance, files: AgentFiles, originOf: OriginOf): void {
  app.get(INSTALLER_PATH, async (request, reply) => {
    const { text, sha256 } = await files.installer(originOf(request));
    if (isKept(request, reply, sha256)) return reply;
    return reply.type("text/x-shellscript; charset=utf-8").send(text);
  });
  app.get(AGENT_RELEASE_PATH, async (request, reply) => {
    const release = await files.release();
    if (release === undefined) throw requestErrors.notFound();
    if (isKept(request, reply, `${release.sha256}-${release.version}`)) return reply;
    return reply.type("application/json").send(JSON.stringify(release));
  });
  app.get(AGENT_ARCHIVE_PATH, async (request, reply) => {
    const archive = await files.archive();
    if (archive === undefined) throw requestErrors.notFound();
    if (isKept(request, reply, archive.sha256)) return reply;
    reply.type("application/gzip").header("content-length", archive.size);
    return request.method === "HEAD" ? reply.send() : reply.send(archive.read());
  });
}

/** Answers that the copy which the caller has is the one there is. */
function isKept(request: FastifyRequest, reply: FastifyReply, mark: string): boolean {
  const tag = `"${mark}"`;
  reply.headers({ etag: tag, "cache-control": "public, no-cache" });
  if (request.headers["if-none-match"] !== tag) return false;
  void reply.code(304).send();
  return true;
}
