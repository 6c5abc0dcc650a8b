import { isUtf8 } from "node:buffer";
import { requestErrors } from "@securewave/contracts";
import { hookOf, type Step, trustedProxies } from "@securewave/sentinel";
import { securityHeaders } from "@securewave/sentinel/headers";
import { serverLimits } from "@securewave/sentinel/limits";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { type FastifyInstance, fastify } from "fastify";
import type { Config } from "../config.ts";
import type { Logger } from "../logger.ts";
import type { Tracing } from "../tracing/index.ts";
import { answerClientErrors, answerErrors, sendProblem } from "./problems.ts";

/** The limits of a request, of server and pipeline alike. */
export function limitsOf({ requestBytesMax, requestTimeoutSeconds }: Config["http"]) {
  return { bodyBytesMax: requestBytesMax, requestSeconds: requestTimeoutSeconds };
}

/**
 * Makes the HTTP server without routes: limits, parsing, validation, and the security layer in front.
 *
 * @param pipeline runs before every route, and before what no route is for
 */
export async function createServer(
  config: Config["http"],
  logger: Logger,
  pipeline: Step,
  tracing?: Tracing,
): Promise<FastifyInstance> {
  const headers = securityHeaders({ isSecure: config.publicUrl?.startsWith("https:") ?? false });
  const app = fastify({
    logger: false, // its request log would hold addresses and URLs; `telemetry.ts` logs what is allowed
    ...serverLimits(limitsOf(config)),
    trustProxy: trustedProxies(config.trustedProxies),
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    return503OnClosing: true,
    frameworkErrors: (_error, _request, reply) =>
      sendProblem(reply.headers(headers), requestErrors.invalid()),
    clientErrorHandler: answerClientErrors(headers),
  });
  app.decorateRequest("caller", undefined);
  app.decorateRequest("origin");
  useJson(app);
  useValidation(app);
  answerErrors(app, logger);
  tracing?.observeRequests(app); // first, so that refused requests have a span too
  app.addHook("onRequest", hookOf(pipeline));
  return app;
}

/** JSON in valid UTF-8, without keys that reach prototypes and without NUL, which PostgreSQL text cannot hold. */
function useJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    if (!Buffer.isBuffer(body) || !isUtf8(body)) return done(requestErrors.malformedJson());
    if (body.length === 0) return done(null, undefined);
    const text = body.toString("utf8");
    if (/\\u0000/.test(text))
      return done(requestErrors.malformedJson({ detail: "The body holds a NUL character." }));
    return parse(request, text, (error, value) =>
      error ? done(requestErrors.malformedJson()) : done(null, value),
    );
  });
}

/**
 * Bodies are taken as they are; queries and paths are text, so numbers in them are converted. With
 * `strictNumbers` a converted `1e400` would skip the checks of its range.
 */
function useValidation(app: FastifyInstance): void {
  const options = {
    allErrors: false,
    removeAdditional: false,
    useDefaults: true,
    allowUnionTypes: true,
  } as const;
  const strict = addFormats.default(new Ajv.default({ ...options, coerceTypes: false }), [
    "date",
    "date-time",
  ]);
  const converting = addFormats.default(
    new Ajv.default({ ...options, coerceTypes: true, strictNumbers: false }),
    ["date", "date-time"],
  );
  app.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === "body" ? strict : converting).compile(schema as object),
  );
}
