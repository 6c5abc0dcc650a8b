import { setTimeout as sleep } from "node:timers/promises";
import { RefusalError } from "@securewave/foundation";
import { targetErrors } from "../errors.ts";
import type { Bytes } from "./target.ts";

const ATTEMPTS = 4;
const RETRY_MS = 300;
const ATTEMPT_MAX_MS = 120_000;
/** What is uploaded at once; so much is held in memory. */
export const PART_BYTES = 8 * 1024 * 1024;
const ERROR_BYTES_MAX = 100_000;

export interface Call {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** Makes the request of a call, signed for this moment. */
export type Sign = (call: Call) => Promise<Request> | Request;

/** Repeats what fails in passing. */
export function createCaller(place: string, sign: Sign) {
  return async function call(request: Call, expected: readonly number[]): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      try {
        const signed = await sign(request);
        const answer = await fetch(signed, {
          redirect: "error",
          signal: AbortSignal.timeout(ATTEMPT_MAX_MS),
        });
        if (expected.includes(answer.status)) return answer;
        throw await refusalOf(answer, place);
      } catch (error) {
        const refusal = error instanceof RefusalError ? error : unreachable(place, error);
        if (attempt === ATTEMPTS || refusal.code !== targetErrors.unreachable.code) throw refusal;
        await sleep(RETRY_MS * 2 ** (attempt - 1));
      }
    }
  };
}

/** Yields a stream in parts of one size; only the last is smaller, and may be empty where it is the only one. */
export async function* inParts(content: Bytes, bytes: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let part = new Uint8Array(bytes);
  let length = 0;
  let isFirst = true;
  for await (const chunk of content) {
    for (let from = 0; from < chunk.length; ) {
      if (length === bytes) {
        yield part;
        isFirst = false;
        part = new Uint8Array(bytes);
        length = 0;
      }
      const count = Math.min(bytes - length, chunk.length - from);
      part.set(chunk.subarray(from, from + count), length);
      length += count;
      from += count;
    }
  }
  if (length > 0 || isFirst) yield part.subarray(0, length);
}

/** The body of an answer; trouble in the middle of it is trouble with the target. */
export async function* bodyOf(answer: Response, place: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of answer.body ?? []) yield chunk;
  } catch (error) {
    throw unreachable(place, error);
  }
}

/** The texts of an element in XML that has no attributes and no comments there, as S3 and Azure write it. */
export function elementsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>(.*?)</${name}>`, "gs"))].map(
    ([, text = ""]) => text,
  );
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

export function textOf(xml: string, name: string): string {
  const [text = ""] = elementsOf(xml, name);
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => ENTITIES[entity] ?? "");
}

async function refusalOf(answer: Response, place: string): Promise<RefusalError> {
  const text = (await answer.text().catch(() => "")).slice(0, ERROR_BYTES_MAX);
  const code = textOf(text, "Code") || answer.headers.get("x-ms-error-code") || "";
  const internal = `${answer.status} ${code.replace(/[^A-Za-z0-9]/g, "")}`;
  if (answer.status === 507 || /Quota|InsufficientStorage|StorageFull|DiskFull/i.test(code)) {
    return targetErrors.full({
      detail: `The backup target ${place} is full. Make room, or shorten the retention and run the clean-up.`,
      internal,
    });
  }
  if (answer.status === 401 || answer.status === 403) {
    return targetErrors.denied({
      detail: `The backup target ${place} refuses the credentials (${internal}). Check the keys and what they may do.`,
      internal,
    });
  }
  if (answer.status === 404) {
    return targetErrors.notFound({
      detail: `The backup target ${place} does not have it (${internal}).`,
      internal,
    });
  }
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408) {
    return unreachable(place, internal);
  }
  return targetErrors.failed({
    detail: `The backup target ${place} does not take a request (${internal}).`,
    internal,
  });
}

function unreachable(place: string, error: unknown): RefusalError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause).slice(0, 60);
  return targetErrors.unreachable({
    detail: `The backup target ${place} cannot be reached (${code}). Check its address and the network.`,
    internal: code,
  });
}
