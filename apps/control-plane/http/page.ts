import { createHash } from "node:crypto";
import { securityHeaders } from "@securewave/sentinel/headers";
import type { FastifyInstance } from "fastify";

/** Adds a page for everybody whose one style element is let in by its hash, and nothing else that is in line. */
export function addPage(
  app: FastifyInstance,
  path: string,
  isSecure: boolean,
  read: () => string | Promise<string>,
): void {
  app.get(path, async (_request, reply) => {
    const page = await read();
    const [, style = ""] = /<style>(.*?)<\/style>/s.exec(page) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    const contentSecurityPolicy = { "style-src": `'sha256-${hash}'` };
    return reply
      .headers(securityHeaders({ isSecure, contentSecurityPolicy }))
      .header("cache-control", "no-cache")
      .type("text/html; charset=utf-8")
      .send(page);
  });
}
