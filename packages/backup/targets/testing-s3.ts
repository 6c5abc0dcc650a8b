import { createHash, createHmac, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type Answer, openStandIn, type StandIn } from "./testing-stand-in.ts";

export interface TestS3 extends Pick<StandIn, "answer" | "close"> {
  readonly url: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string };
  readonly objects: Map<string, Buffer>;
  /** Uploads in parts that were begun and not ended. */
  readonly uploads: Map<string, { key: string; parts: Map<number, Buffer> }>;
}

const REGION = "eu-test-1";
const BUCKET = "bucket";
const PAGE_KEYS = 3;

/** A stand-in for S3 with one bucket: it holds every request's signature against its own reckoning. */
export async function openTestS3(): Promise<TestS3> {
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: randomUUID() };
  const objects = new Map<string, Buffer>();
  const uploads: TestS3["uploads"] = new Map();

  const standIn = await openStandIn((request, url, body) => {
    const key = decodeURIComponent(url.pathname).slice(BUCKET.length + 2);
    return isSigned(request, url, body, credentials)
      ? answerTo(request.method ?? "", key, url.searchParams, body)
      : refusal(403, "SignatureDoesNotMatch");
  }, refusal);

  function answerTo(method: string, key: string, query: URLSearchParams, body: Buffer): Answer {
    if (key === "") return [200, query.has("uploads") ? listUploads(uploads) : listKeys(objects, query)];
    if (query.has("uploads")) {
      const id = randomUUID();
      uploads.set(id, { key, parts: new Map() });
      return [
        200,
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      ];
    }
    if (query.has("uploadId")) return answerToUpload(method, query, body);
    return answerForObject(method, key, body);
  }
  function answerForObject(method: string, key: string, body: Buffer): Answer {
    const found = objects.get(key);
    if (method === "PUT") objects.set(key, body);
    if (method === "DELETE") objects.delete(key);
    if (method === "PUT") return [200, "", { etag: tagOf(body) }];
    if (method === "DELETE") return [204];
    return found === undefined ? refusal(404, "NoSuchKey") : [200, found];
  }
  function answerToUpload(method: string, query: URLSearchParams, body: Buffer): Answer {
    const id = query.get("uploadId") ?? "";
    const upload = uploads.get(id);
    if (upload === undefined) return refusal(404, "NoSuchUpload");
    if (method === "PUT") {
      upload.parts.set(Number(query.get("partNumber")), body);
      return [200, "", { etag: tagOf(body) }];
    }
    uploads.delete(id);
    if (method === "DELETE") return [204];
    const tags = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>(.*?)<\/ETag>/g)];
    const parts = tags.map(([, number, tag]) => ({ bytes: upload.parts.get(Number(number)), tag }));
    if (parts.some(({ bytes, tag }) => bytes === undefined || tagOf(bytes) !== tag))
      return refusal(400, "InvalidPart");
    objects.set(upload.key, Buffer.concat(parts.flatMap(({ bytes }) => bytes ?? [])));
    return [200, "<CompleteMultipartUploadResult/>"];
  }

  return {
    url: `s3://${BUCKET}/some/prefix?region=${REGION}&endpoint=http://127.0.0.1:${standIn.port}`,
    credentials,
    objects,
    uploads,
    answer: standIn.answer,
    close: standIn.close,
  };
}

function refusal(status: number, code: string): Answer {
  return [status, `<Error><Code>${code}</Code></Error>`];
}

function listKeys(objects: ReadonlyMap<string, Buffer>, query: URLSearchParams): string {
  const after = query.get("continuation-token") ?? "";
  const keys = [...objects.keys()]
    .filter((key) => key.startsWith(query.get("prefix") ?? "") && key > after)
    .sort();
  const page = keys.slice(0, PAGE_KEYS);
  const contents = page.map(
    (key) => `<Contents><Key>${key}</Key><Size>${objects.get(key)?.length}</Size></Contents>`,
  );
  const isCut = keys.length > page.length;
  const next = isCut ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
  return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isCut}</IsTruncated>${contents.join("")}${next}</ListBucketResult>`;
}

function listUploads(uploads: TestS3["uploads"]): string {
  const each = [...uploads].map(
    ([id, { key }]) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>2020-01-01T00:00:00.000Z</Initiated></Upload>`,
  );
  return `<ListMultipartUploadsResult>${each.join("")}</ListMultipartUploadsResult>`;
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html */
function isSigned(
  request: IncomingMessage,
  url: URL,
  body: Buffer,
  { accessKeyId, secretAccessKey }: TestS3["credentials"],
): boolean {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)$/;
  const [, id, day = "", region = "", names = "", proof] =
    pattern.exec(request.headers.authorization ?? "") ?? [];
  const hashed = String(request.headers["x-amz-content-sha256"] ?? "");
  if (id !== accessKeyId || region !== REGION) return false;
  if (hashed !== "UNSIGNED-PAYLOAD" && hashed !== sha256(body)) return false;
  const encode = (text: string) =>
    encodeURIComponent(text).replace(
      /[!'()*]/g,
      (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");
  const headers = names.split(";").map((name) => `${name}:${String(request.headers[name] ?? "").trim()}\n`);
  const canonical = [request.method, url.pathname, query, headers.join(""), names, hashed].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  const key = [day, region, "s3", "aws4_request"].reduce<Buffer | string>(hmac, `AWS4${secretAccessKey}`);
  return hmac(key, text).toString("hex") === proof;
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function tagOf(bytes: Buffer): string {
  return `"${createHash("md5").update(bytes).digest("hex")}"`;
}
