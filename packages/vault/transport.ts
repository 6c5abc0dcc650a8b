import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { RefusalError } from "@securewave/foundation";
import type { Secret } from "@securewave/foundation/secret";
import { vaultErrors } from "./errors.ts";

const ANSWER_BYTES_MAX = 1024 * 1024;
const REDIRECTS_MAX = 2;
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;
const PAUSE_MAX_MS = 5_000;

export interface TransportOptions {
  /** `https://vault.example.org:8200`; a path in front of `/v1` may follow. */
  readonly address: string;
  /** Of Vault Enterprise and OpenBao: `team/`. */
  readonly namespace?: string | undefined;
  /** Certificates in PEM that are trusted in place of the system's. */
  readonly caCertificates?: string | undefined;
  /** For one attempt, from its beginning to the last byte. */
  readonly timeoutMs: number;
}

export interface Call {
  readonly method: "GET" | "POST";
  /** Below `/v1/`; stands in errors. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly token?: Secret | undefined;
  readonly body?: object;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Sends one call, again after a pause where that may help.
 *
 * @throws the errors of `vaultErrors`, which quote nothing of what was sent or answered
 */
export type Send = (call: Call) => Promise<JsonObject>;

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** The HTTP API of Vault. @see https://developer.hashicorp.com/vault/api-docs */
export function createTransport(options: TransportOptions): Send {
  const base = `${options.address.replace(/\/+$/, "")}/v1/`;

  async function attempt(call: Call): Promise<JsonObject> {
    let url = new URL(base + call.path);
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
    for (let redirects = 0; ; redirects++) {
      const answer = await exchange(url, call, options).catch((error: unknown) => {
        throw error instanceof RefusalError ? error : vaultErrors.unreachable({ internal: reasonOf(error) });
      });
      if (answer.status !== 307 && answer.status !== 308) return read(answer, call);
      const target = new URL(String(answer.headers.location), url);
      // The token would go along, so it stays with the address that the operator named.
      if (target.origin !== url.origin || redirects === REDIRECTS_MAX) throw vaultErrors.redirected();
      url = target;
    }
  }

  return async (call) => {
    for (let number = 1; ; number++) {
      try {
        return await attempt(call);
      } catch (error) {
        if (number === ATTEMPTS || !isPassing(error)) throw error;
        const asked = (error.retryAfterSeconds ?? 0) * 1000;
        const pauseMs = FIRST_PAUSE_MS * 2 ** (number - 1) * (0.5 + Math.random());
        await sleep(Math.min(Math.max(pauseMs, asked), PAUSE_MAX_MS));
      }
    }
  };
}

/** Whether the same request may be answered well a moment later. */
export function isPassing(error: unknown): error is RefusalError {
  return error instanceof RefusalError && error.status === 503;
}

function exchange(url: URL, call: Call, options: TransportOptions): Promise<Answer> {
  const { namespace, caCertificates, timeoutMs } = options;
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const headers = {
    accept: "application/json",
    "x-vault-request": "true",
    ...(namespace ? { "x-vault-namespace": namespace } : {}),
    ...(call.token ? { "x-vault-token": call.token.reveal() } : {}),
    ...(body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const signal = AbortSignal.timeout(timeoutMs);
  const common = { method: call.method, headers, signal, agent: false as const };
  const request =
    url.protocol === "https:"
      ? requestHttps(url, { ...common, ...(caCertificates === undefined ? {} : { ca: caCertificates }) })
      : requestHttp(url, common);
  request.on("error", reject);
  request.on("response", (response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on("error", reject);
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) request.destroy(vaultErrors.unexpected());
      else chunks.push(chunk);
    });
    response.on("end", () =>
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: Buffer.concat(chunks).toString("utf8"),
      }),
    );
  });
  request.end(body);
  return promise;
}

/** Statuses: https://developer.hashicorp.com/vault/api-docs#http-status-codes */
function read({ status, headers, text }: Answer, { method, path }: Call): JsonObject {
  if (status === 204) return {};
  const answer = parse(text);
  if (status === 200) {
    if (answer === undefined) throw vaultErrors.unexpected();
    return answer;
  }
  const internal = `${method} ${path}: status ${status}`;
  const detailOf = (message: string) => ({ detail: `${message} (${method} ${path})`, internal });
  // Standbys, replicas without the newest state, quotas and faults.
  if (status >= 500 || [412, 429, 472, 473].includes(status)) {
    if (status === 501 || (status === 503 && hasError(answer, /sealed/i)))
      throw vaultErrors.sealed({ internal });
    const wait = Number(headers["retry-after"] ?? Number.NaN);
    throw vaultErrors.unavailable({ internal, ...(wait > 0 ? { retryAfterSeconds: wait } : {}) });
  }
  if (status === 403) throw vaultErrors.denied(detailOf(vaultErrors.denied.message));
  if (status === 404) throw vaultErrors.notFound(detailOf(vaultErrors.notFound.message));
  if (answer === undefined) throw vaultErrors.unexpected({ internal });
  throw vaultErrors.refused(detailOf(vaultErrors.refused.message));
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasError(answer: JsonObject | undefined, pattern: RegExp): boolean {
  const errors = answer?.errors;
  return Array.isArray(errors) && errors.some((error) => pattern.test(String(error)));
}

/** Only the code: the texts of such errors name hosts and addresses. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "failed";
  if (error.name === "TimeoutError" || error.name === "AbortError") return "timed out";
  return "code" in error ? String(error.code) : error.name;
}
