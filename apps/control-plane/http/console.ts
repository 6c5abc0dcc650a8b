import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import { requestErrors } from "@securewave/contracts";
import type { FastifyInstance, FastifyReply } from "fastify";

/**
 * Serves the built console. Every page's path answers with the same document, in which the console finds
 * its way; what asks for the API or for a file that is not there gets a refusal.
 */
export async function addConsole(app: FastifyInstance, dir: string): Promise<void> {
  const isBuilt = existsSync(join(dir, "index.html"));
  if (isBuilt) {
    await app.register(fastifyStatic, {
      root: dir,
      index: false,
      cacheControl: false,
      preCompressed: true,
      decorateReply: !app.hasReplyDecorator("sendFile"),
      setHeaders(reply, path) {
        // Names of assets hold a hash of their content.
        const isHashed = path.startsWith(join(dir, "assets"));
        reply.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
      },
    });
  }
  const sendPage = (reply: FastifyReply) =>
    reply.header("cache-control", "no-cache").sendFile("index.html", dir, { cacheControl: false });
  if (isBuilt) app.get("/", (_request, reply) => sendPage(reply));
  app.setNotFoundHandler((request, reply) => {
    const isPage =
      request.method === "GET" && !request.url.startsWith("/api/") && !/\.\w+$/.test(request.url);
    if (!isPage || !isBuilt) throw requestErrors.notFound();
    return sendPage(reply);
  });
}
