import { createHmac, randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type Answer, openStandIn, type StandIn } from "./testing-stand-in.ts";

export interface TestAzure extends Pick<StandIn, "answer" | "close"> {
  readonly url: string;
  readonly credentials: { accountKey: string };
  /** The other way in: a shared access signature. */
  readonly signature: { sasToken: string };
  readonly blobs: Map<string, Buffer>;
}

const ACCOUNT = "account";
const CONTAINER = "container";
const PAGE_BLOBS = 3;
const BLOCK_ID_BYTES_MAX = 64;

/**
 * A stand-in for Azure Blob with one container: it holds every request's signature against its own reckoning. What it
 * answers has the shape of what Azurite 3.35 answered to the same requests, which is what `targets.test.ts` can be run with.
 */
export async function openTestAzure(): Promise<TestAzure> {
  const accountKey = randomBytes(64).toString("base64");
  const sig = randomBytes(32).toString("base64");
  const blobs = new Map<string, Buffer>();
  /** By blob and id; until a list of blocks names them they are no part of anything. */
  const uncommitted = new Map<string, Map<string, Buffer>>();

  const standIn = await openStandIn((request, url, body) => {
    const isKnown = isSigned(request, url, accountKey) || url.searchParams.get("sig") === sig;
    return isKnown ? answerTo(request, url, body) : refusal(403, "AuthenticationFailed");
  }, refusal);

  function answerTo(request: IncomingMessage, { pathname, searchParams }: URL, body: Buffer): Answer {
    const [, container, ...words] = pathname.split("/").map(decodeURIComponent);
    if (container !== CONTAINER) return refusal(404, "ContainerNotFound");
    if (request.headers["x-ms-version"] === undefined) return refusal(400, "MissingRequiredHeader");
    const name = words.join("/");
    const what = searchParams.get("comp");
    if (searchParams.get("restype") === "container" && what === "list")
      return [200, listing(blobs, searchParams)];
    if (request.method !== "PUT") return answerForBlob(request.method, name);
    if (what === "block") return putBlock(name, searchParams, body);
    if (what === "blocklist") return putBlockList(name, body);
    if (request.headers["x-ms-blob-type"] !== "BlockBlob") return refusal(400, "MissingRequiredHeader");
    blobs.set(name, body);
    return [201];
  }

  function answerForBlob(method: string | undefined, name: string): Answer {
    const found = blobs.get(name);
    if (found === undefined) return refusal(404, "BlobNotFound");
    if (method !== "DELETE") return [200, found];
    blobs.delete(name);
    return [202];
  }

  function putBlock(name: string, query: URLSearchParams, block: Buffer): Answer {
    const id = query.get("blockid") ?? "";
    const bytes = Buffer.from(id, "base64").length;
    const blocks = uncommitted.get(name) ?? new Map<string, Buffer>();
    const isAlike = [...blocks.keys()].every(({ length }) => length === id.length);
    if (bytes === 0 || bytes > BLOCK_ID_BYTES_MAX || !isAlike) return refusal(400, "InvalidBlobOrBlock");
    uncommitted.set(name, blocks.set(id, block));
    return [201];
  }

  function putBlockList(name: string, body: Buffer): Answer {
    const blocks = uncommitted.get(name);
    const listed = [...body.toString().matchAll(/<Latest>(.*?)<\/Latest>/g)];
    const named = listed.map(([, id = ""]) => blocks?.get(id));
    if (named.some((block) => block === undefined)) return refusal(400, "InvalidBlockList");
    blobs.set(name, Buffer.concat(named.flatMap((block) => block ?? [])));
    uncommitted.delete(name);
    return [201];
  }

  return {
    url: `azblob://${ACCOUNT}/${CONTAINER}/some/prefix?endpoint=http://127.0.0.1:${standIn.port}`,
    credentials: { accountKey },
    signature: { sasToken: `sv=2021-12-02&sr=c&sp=rcwdl&sig=${encodeURIComponent(sig)}` },
    blobs,
    answer: standIn.answer,
    close: standIn.close,
  };
}

function refusal(status: number, code: string): Answer {
  const xml = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Error>\n  <Code>${code}</Code>\n  <Message>No.</Message>\n</Error>`;
  return [status, xml, { "x-ms-error-code": code }];
}

/** @see https://learn.microsoft.com/rest/api/storageservices/list-blobs */
function listing(blobs: ReadonlyMap<string, Buffer>, query: URLSearchParams): string {
  const [prefix, marker] = [query.get("prefix") ?? "", query.get("marker") ?? ""];
  const names = [...blobs.keys()].filter((name) => name.startsWith(prefix) && name > marker).sort();
  const page = names.slice(0, PAGE_BLOBS);
  const each = page.map(
    (name) =>
      `<Blob><Name>${name.replaceAll("&", "&amp;")}</Name><Properties><Content-Length>${blobs.get(name)?.length}</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>`,
  );
  const next = names.length > page.length ? `<NextMarker>${page.at(-1)}</NextMarker>` : "<NextMarker/>";
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><EnumerationResults ContainerName="${CONTAINER}"><Prefix>${prefix}</Prefix><Marker/><Blobs>${each.join("")}</Blobs>${next}</EnumerationResults>`;
}

/** @see https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
function isSigned({ method, headers, url: path = "" }: IncomingMessage, url: URL, key: string): boolean {
  const length = headers["content-length"];
  const standard = [
    headers["content-encoding"],
    headers["content-language"],
    length === "0" ? "" : length,
    headers["content-md5"],
    headers["content-type"],
    headers.date,
    headers["if-modified-since"],
    headers["if-match"],
    headers["if-none-match"],
    headers["if-unmodified-since"],
    headers.range,
  ];
  const own = Object.keys(headers).filter((name) => name.startsWith("x-ms-"));
  const [resource = ""] = path.split("?");
  const text = [
    method,
    ...standard.map((value) => value ?? ""),
    ...own.sort().map((name) => `${name}:${headers[name]}`),
    `/${ACCOUNT}${resource}`,
    ...[...url.searchParams].map(([name, value]) => `${name.toLowerCase()}:${value}`).sort(),
  ].join("\n");
  const proof = createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64");
  return headers.authorization === `SharedKey ${ACCOUNT}:${proof}`;
}
