import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import { api, refusals } from "@securewave/contracts";
import { describeApi } from "@securewave/contracts/openapi";
import { securityHeaders } from "@securewave/sentinel/headers";
import type { FastifyInstance, FastifyReply } from "fastify";

const DOCUMENT_PATH = "/api/openapi.json";
const VIEWER_PATH = "/api/docs/";
const VIEWER_FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SecureWave API reference</title>
<link rel="icon" href="favicon-32x32.png">
<link rel="stylesheet" href="swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({
  url: ${JSON.stringify(DOCUMENT_PATH)},
  dom_id: "#reference",
  deepLinking: true,
  filter: true,
  docExpansion: "list",
  validatorUrl: null,
});
`;

/** Serves the OpenAPI document and a page to browse and try it. */
export async function addReference(app: FastifyInstance, version: string, isSecure: boolean): Promise<void> {
  const document = JSON.stringify(
    describeApi(api, {
      title: "SecureWave API",
      version,
      description:
        "Everything the console and the CLI do goes through these operations. Errors are RFC 9457 problem details; act on `code`.",
    }),
  );
  app.get(DOCUMENT_PATH, async (_request, reply) => reply.type("application/json").send(document));
  const root = dirname(fileURLToPath(import.meta.resolve("swagger-ui-dist/package.json")));
  await app.register(fastifyStatic, {
    root: join(root),
    serve: false,
    decorateReply: !app.hasReplyDecorator("sendFile"),
  });
  // The viewer sets styles on elements; nothing else is loosened for it.
  const contentSecurityPolicy = { "style-src": "'self' 'unsafe-inline'" };
  const headers = securityHeaders({ isSecure, contentSecurityPolicy });
  const sendPage = (reply: FastifyReply, page: string) =>
    reply.headers(headers).type("text/html; charset=utf-8").send(page);
  app.get("/api/docs", (_request, reply) => reply.redirect(VIEWER_PATH));
  app.get(VIEWER_PATH, (_request, reply) => sendPage(reply, PAGE));
  app.get(`${VIEWER_PATH}start.js`, (_request, reply) =>
    reply.type("text/javascript; charset=utf-8").send(START),
  );
  app.get(`${VIEWER_PATH}errors`, (_request, reply) => sendPage(reply, errorPage()));
  for (const file of VIEWER_FILES) {
    app.get(VIEWER_PATH + file, (_request, reply) => reply.sendFile(file, root, { maxAge: "1d" }));
  }
}

/** Where the `type` of a problem leads. */
function errorPage(): string {
  const rows = refusals.map(
    ({ code, status, message }) => `<tr id="${code}"><td><code>${code}</code><td>${status}<td>${message}`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SecureWave API errors</title>
<h1>Errors</h1>
<table>
<thead><tr><th>code<th>status<th>meaning</thead>
<tbody>${rows.join("\n")}</tbody>
</table>
</html>
`;
}
