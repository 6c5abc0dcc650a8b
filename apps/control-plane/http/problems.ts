import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type Problem, requestErrors } from "@securewave/contracts";
import { isDatabaseUnavailable } from "@securewave/database";
import { RefusalError } from "@securewave/foundation";
import type { FastifyError, FastifyInstance, FastifyReply } from "fastify";
import { describeError, type Logger } from "../logger.ts";

declare module "fastify" {
  interface FastifyReply {
    /** Whether maintenance refused it: staff wanted that, so it counts as no failure of the service. */
    isOfMaintenance: boolean;
  }
}

const PROBLEM_JSON = "application/problem+json";

/** Turns every error into an RFC 9457 answer; the only place that does. */
export function answerErrors(app: FastifyInstance, logger: Logger): void {
  app.decorateReply("isOfMaintenance", false);
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error);
    reply.isOfMaintenance = refusal.code === requestErrors.maintenance.code;
    if (refusal.status >= 500 && !reply.isOfMaintenance) {
      const route = request.routeOptions.url;
      logger.error("request_failed", {
        method: request.method,
        ...(route ? { route } : {}),
        ...describeError(error),
      });
    }
    return sendProblem(reply, refusal);
  });
}

export function sendProblem(reply: FastifyReply, refusal: RefusalError) {
  reply.status(refusal.status);
  if (refusal.retryAfterSeconds !== undefined) reply.header("retry-after", String(refusal.retryAfterSeconds));
  return reply.type(PROBLEM_JSON).send(JSON.stringify(problemOf(refusal)));
}

/**
 * Answers what was not HTTP enough to become a request, and closes the connection.
 *
 * @param headers of every answer
 * @see https://nodejs.org/api/http.html#event-clienterror
 */
export function answerClientErrors(headers: Readonly<Record<string, string>>) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const refusal = refusalOfParser(error.code);
    const body = JSON.stringify(problemOf(refusal));
    const head = [
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
      ...lines,
      `Content-Type: ${PROBLEM_JSON}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
    ];
    socket.end([...head, "", body].join("\r\n"));
  };
}

function refusalOfParser(code: string | undefined): RefusalError {
  if (code === "HPE_HEADER_OVERFLOW") return requestErrors.tooLarge();
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return requestErrors.timedOut();
  return requestErrors.invalid();
}

function problemOf(refusal: RefusalError): Problem {
  return {
    type: `/api/docs/errors#${refusal.code}`,
    title: refusal.title,
    status: refusal.status,
    code: refusal.code,
    ...(refusal.message === refusal.title ? {} : { detail: refusal.message }),
    ...(refusal.issues.length > 0 ? { issues: [...refusal.issues] } : {}),
  };
}

function refusalOf(error: unknown): RefusalError {
  if (error instanceof RefusalError) return error;
  if (isFastifyError(error)) return refusalOfFastify(error);
  if (isDatabaseUnavailable(error)) return requestErrors.storeUnavailable({ retryAfterSeconds: 1 });
  return requestErrors.failed();
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number";
}

/** @see https://fastify.dev/docs/latest/Reference/Errors/ */
function refusalOfFastify(error: FastifyError): RefusalError {
  if (error.validation) {
    const where = error.validationContext === "querystring" ? "query" : (error.validationContext ?? "body");
    const issues = error.validation.map(({ instancePath, keyword, params, message }) => {
      const property = keyword === "required" ? params.missingProperty : params.additionalProperty;
      const path = typeof property === "string" ? `${instancePath}/${property.slice(0, 100)}` : instancePath;
      const text =
        keyword === "additionalProperties" ? "is not a field of this operation" : (message ?? "is not valid");
      return { at: where === "body" ? path || "/" : `${where}${path}`, message: text };
    });
    return requestErrors.invalid({ issues });
  }
  if (error.statusCode === 413) return requestErrors.tooLarge();
  if (error.statusCode === 415) return requestErrors.unsupportedMediaType();
  if (error.statusCode === 404) return requestErrors.notFound();
  if (error.statusCode !== undefined && error.statusCode < 500) return requestErrors.invalid();
  return requestErrors.failed();
}
