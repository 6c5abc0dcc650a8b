import { AwsClient } from "aws4fetch";
import { targetErrors } from "../errors.ts";
import { bodyOf, createCaller, elementsOf, inParts, PART_BYTES, textOf } from "./http.ts";
import type { StoredObject, Target, TargetCredentials } from "./target.ts";

const REGION = "us-east-1";
const DAY_MS = 24 * 3_600_000;

/**
 * Keeps objects in a bucket of S3 or of what speaks its protocol. Large ones are uploaded in parts.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/
 */
export function openS3Target(url: URL, credentials: TargetCredentials): Target {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  if (!accessKeyId || !secretAccessKey || url.hostname === "") {
    throw targetErrors.invalidUrl({
      detail: "S3 needs s3://bucket/prefix, an access key's id and its secret.",
    });
  }
  const region = url.searchParams.get("region") ?? REGION;
  const endpoint = url.searchParams.get("endpoint");
  const base = baseOf(url.hostname, region, endpoint);
  const prefix = url.pathname
    .split("/")
    .filter(Boolean)
    .map((word) => `${word}/`)
    .join("");
  const place = `s3://${url.hostname}/${prefix}`;
  const client = new AwsClient({
    ...{ accessKeyId, secretAccessKey, region, service: "s3", retries: 0 },
    ...(sessionToken === undefined ? {} : { sessionToken }),
  });
  const call = createCaller(place, ({ url: each, method, headers = {}, body }) =>
    client.sign(each.href, { method, headers: { ...headers }, ...(body === undefined ? {} : { body }) }),
  );
  const urlOf = (name: string, query: Readonly<Record<string, string>> = {}) => {
    const each = new URL(base);
    each.pathname += `${prefix}${name}`;
    for (const [key, value] of Object.entries(query)) each.searchParams.set(key, value);
    return each;
  };
  const bucketUrl = (query: Readonly<Record<string, string>>) => {
    const each = new URL(base);
    for (const [key, value] of Object.entries(query)) each.searchParams.set(key, value);
    return each;
  };

  async function putInParts(
    name: string,
    parts: AsyncIterator<Uint8Array<ArrayBuffer>>,
    first: Uint8Array<ArrayBuffer>,
  ) {
    const begun = await call({ method: "POST", url: urlOf(name, { uploads: "" }) }, [200]);
    const uploadId = textOf(await begun.text(), "UploadId");
    try {
      const tags: string[] = [];
      let bytes = 0;
      for (let part: Uint8Array<ArrayBuffer> | undefined = first; part; ) {
        const query = { partNumber: String(tags.length + 1), uploadId };
        const answer = await call({ method: "PUT", url: urlOf(name, query), body: part }, [200]);
        await answer.body?.cancel();
        tags.push(answer.headers.get("etag") ?? "");
        bytes += part.length;
        const next = await parts.next();
        part = next.done ? undefined : next.value;
      }
      const list = tags.map(
        (tag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${tag}</ETag></Part>`,
      );
      const body = new TextEncoder().encode(
        `<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`,
      );
      const answer = await call({ method: "POST", url: urlOf(name, { uploadId }), body }, [200]);
      // S3 may say 200 first and find out then that it cannot.
      if ((await answer.text()).includes("<Error>")) throw targetErrors.failed({ internal: "complete" });
      return bytes;
    } catch (error) {
      await call({ method: "DELETE", url: urlOf(name, { uploadId }) }, [204, 404]).catch(() => {});
      throw error;
    }
  }

  return {
    description: place,

    async put(name, content) {
      const parts = inParts(content, PART_BYTES)[Symbol.asyncIterator]();
      try {
        const first = await parts.next();
        if (first.done) return 0;
        if (first.value.length === PART_BYTES) return await putInParts(name, parts, first.value);
        const answer = await call({ method: "PUT", url: urlOf(name), body: first.value }, [200]);
        await answer.body?.cancel();
        return first.value.length;
      } finally {
        await parts.return?.(undefined);
      }
    },

    async get(name) {
      return bodyOf(await call({ method: "GET", url: urlOf(name) }, [200]), place);
    },

    async *list(names) {
      for (let token = ""; ; ) {
        const query = {
          "list-type": "2",
          prefix: `${prefix}${names}`,
          ...(token && { "continuation-token": token }),
        };
        const xml = await (await call({ method: "GET", url: bucketUrl(query) }, [200])).text();
        for (const each of elementsOf(xml, "Contents")) {
          yield {
            name: textOf(each, "Key").slice(prefix.length),
            bytes: Number(textOf(each, "Size")),
          } satisfies StoredObject;
        }
        if (textOf(xml, "IsTruncated") !== "true") return;
        token = textOf(xml, "NextContinuationToken");
      }
    },

    async remove(name) {
      const answer = await call({ method: "DELETE", url: urlOf(name) }, [200, 204, 404]);
      await answer.body?.cancel();
    },

    async find(name) {
      const answer = await call({ method: "HEAD", url: urlOf(name) }, [200, 404]);
      if (answer.status === 404) return undefined;
      return { name, bytes: Number(answer.headers.get("content-length")) };
    },

    async removeUnfinished(names) {
      const query = { uploads: "", prefix: `${prefix}${names}` };
      const xml = await (await call({ method: "GET", url: bucketUrl(query) }, [200])).text();
      for (const each of elementsOf(xml, "Upload")) {
        // A younger one may be at work.
        if (Date.now() - Date.parse(textOf(each, "Initiated")) < DAY_MS) continue;
        const name = textOf(each, "Key").slice(prefix.length);
        const answer = await call(
          { method: "DELETE", url: urlOf(name, { uploadId: textOf(each, "UploadId") }) },
          [204, 404],
        );
        await answer.body?.cancel();
      }
    },
  };
}

/** Amazon's own addresses name the bucket in the host; others take it in the path. */
function baseOf(bucket: string, region: string, endpoint: string | null): URL {
  if (endpoint === null) return new URL(`https://${bucket}.s3.${region}.amazonaws.com/`);
  if (!URL.canParse(endpoint)) throw targetErrors.invalidUrl({ detail: "The endpoint of S3 is no URL." });
  return new URL(`${endpoint.replace(/\/$/, "")}/${bucket}/`);
}
