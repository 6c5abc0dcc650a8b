import { createHmac } from "node:crypto";
import { targetErrors } from "../errors.ts";
import { bodyOf, type Call, createCaller, elementsOf, inParts, PART_BYTES, textOf } from "./http.ts";
import type { Target, TargetCredentials } from "./target.ts";

const API_VERSION = "2021-12-02";
/** The headers that are signed, in this order, by their value alone. */
const SIGNED_HEADERS = [
  ..."content-encoding content-language content-length content-md5 content-type date".split(" "),
  ..."if-modified-since if-match if-none-match if-unmodified-since range".split(" "),
];

/**
 * Keeps objects as block blobs in a container of Azure. Large ones are uploaded in blocks, which Azure forgets after a
 * week where the list of them never came.
 *
 * @see https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
 */
export function openAzureTarget(url: URL, { accountKey, sasToken }: TargetCredentials): Target {
  const account = url.hostname;
  const [container, ...words] = url.pathname.split("/").filter(Boolean);
  if (account === "" || container === undefined || (!accountKey && !sasToken)) {
    throw targetErrors.invalidUrl({
      detail:
        "Azure needs azblob://account/container/prefix, and the account's key or a shared access signature.",
    });
  }
  const endpoint = url.searchParams.get("endpoint") ?? `https://${account}.blob.core.windows.net`;
  if (!URL.canParse(endpoint)) throw targetErrors.invalidUrl({ detail: "The endpoint of Azure is no URL." });
  const prefix = words.map((word) => `${word}/`).join("");
  const place = `azblob://${account}/${container}/${prefix}`;
  const containerUrl = `${endpoint.replace(/\/$/, "")}/${container}`;
  const signature = new URLSearchParams(sasToken ?? "");
  const call = createCaller(place, (request) =>
    accountKey ? signed(request, account, accountKey) : withVersion(request),
  );
  const urlOf = (name: string | undefined, query: Readonly<Record<string, string>> = {}) => {
    const each = new URL(name === undefined ? containerUrl : `${containerUrl}/${prefix}${name}`);
    for (const [key, value] of [...Object.entries(query), ...signature]) each.searchParams.set(key, value);
    return each;
  };
  const done = async (request: Call, expected: readonly number[]) => {
    await (await call(request, expected)).body?.cancel();
  };

  return {
    description: place,

    async put(name, content) {
      const ids: string[] = [];
      let bytes = 0;
      for await (const part of inParts(content, PART_BYTES)) {
        bytes += part.length;
        if (ids.length === 0 && part.length < PART_BYTES) {
          const headers = { "x-ms-blob-type": "BlockBlob" };
          await done({ method: "PUT", url: urlOf(name), headers, body: part }, [201]);
          return bytes;
        }
        const id = Buffer.from(String(ids.length).padStart(8, "0")).toString("base64");
        await done({ method: "PUT", url: urlOf(name, { comp: "block", blockid: id }), body: part }, [201]);
        ids.push(id);
      }
      const list = ids.map((id) => `<Latest>${id}</Latest>`).join("");
      const body = new TextEncoder().encode(
        `<?xml version="1.0" encoding="utf-8"?><BlockList>${list}</BlockList>`,
      );
      await done({ method: "PUT", url: urlOf(name, { comp: "blocklist" }), body }, [201]);
      return bytes;
    },

    async get(name) {
      return bodyOf(await call({ method: "GET", url: urlOf(name) }, [200]), place);
    },

    async *list(names) {
      for (let marker = ""; ; ) {
        const query = {
          restype: "container",
          comp: "list",
          prefix: `${prefix}${names}`,
          ...(marker && { marker }),
        };
        const xml = await (await call({ method: "GET", url: urlOf(undefined, query) }, [200])).text();
        for (const each of elementsOf(xml, "Blob")) {
          yield {
            name: textOf(each, "Name").slice(prefix.length),
            bytes: Number(textOf(each, "Content-Length")),
          };
        }
        marker = textOf(xml, "NextMarker");
        if (marker === "") return;
      }
    },

    async remove(name) {
      await done({ method: "DELETE", url: urlOf(name) }, [202, 404]);
    },

    async find(name) {
      const answer = await call({ method: "HEAD", url: urlOf(name) }, [200, 404]);
      if (answer.status === 404) return undefined;
      return { name, bytes: Number(answer.headers.get("content-length")) };
    },

    async removeUnfinished() {}, // Azure does that
  };
}

/** Signs by the account's key. @see https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
function signed({ method, url, headers = {}, body }: Call, account: string, key: string): Request {
  const all = new Headers(headers);
  all.set("x-ms-date", new Date().toUTCString());
  all.set("x-ms-version", API_VERSION);
  const length = body === undefined || body.length === 0 ? "" : String(body.length);
  const values = SIGNED_HEADERS.map((name) => (name === "content-length" ? length : (all.get(name) ?? "")));
  const own = [...all.keys()]
    .filter((name) => name.startsWith("x-ms-"))
    .sort()
    .map((name) => `${name}:${all.get(name)}`);
  const query = [...url.searchParams].map(([name, value]) => `${name.toLowerCase()}:${value}`).sort();
  const text = [method, ...values, ...own, [`/${account}${url.pathname}`, ...query].join("\n")].join("\n");
  const proof = createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64");
  all.set("authorization", `SharedKey ${account}:${proof}`);
  return new Request(url, { method, headers: all, ...(body === undefined ? {} : { body }) });
}

function withVersion({ method, url, headers = {}, body }: Call): Request {
  const all = { ...headers, "x-ms-version": API_VERSION };
  return new Request(url, { method, headers: all, ...(body === undefined ? {} : { body }) });
}
