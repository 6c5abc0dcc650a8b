import { writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import { temporaryDir } from "@securewave/testing";
import { afterEach, describe, expect, test } from "vitest";
import { readLists, type SourceOptions } from "./sources.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server on loopback that counts who came. */
async function serve(listener: RequestListener) {
  let visits = 0;
  const server = createServer((request, response) => {
    response.on("error", () => undefined);
    listener(request, response);
  });
  server.on("connection", () => visits++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return { port, host: `127.0.0.1:${port}`, visits: () => visits };
}

async function read(sources: readonly string[], options: SourceOptions = {}): Promise<string> {
  let text = "";
  for await (const piece of readLists(sources, options)) text += piece;
  return text;
}

describe("lists", () => {
  test("are read from files and from hosts of one's own, one after the other", async () => {
    await using dir = await temporaryDir();
    const path = join(dir.path, "list.txt");
    await writeFile(path, "203.0.113.7"); // without a line break at its end
    const { host } = await serve((_request, response) => response.end("198.51.100.0/24\n"));
    const text = await read([path, `http://${host}/list`], { ownHosts: [host] });
    expect(text.split("\n").filter(Boolean)).toEqual(["203.0.113.7", "198.51.100.0/24"]);
  });

  test.each([
    ["a file that is not there", "/nowhere/list.txt"],
    ["another scheme", "ftp://lists.example.org/list"],
    ["a file by URL", "file:///etc/passwd"],
    ["http to a host that is not one's own", "http://lists.example.org/list"],
    ["what is no URL", "https://"],
  ])("%s is an error", async (_, source) => {
    await expect(read([source])).rejects.toThrow();
  });

  test("an answer that is no list is an error", async () => {
    const { host } = await serve((_request, response) => response.writeHead(404).end("203.0.113.7"));
    await expect(read([`http://${host}/`], { ownHosts: [host] })).rejects.toThrow("404");
  });

  test("a list that does not end is cut off by its size", async () => {
    const { host } = await serve((_request, response) => {
      const flood = () => {
        while (response.writable && response.write("203.0.113.7\n".repeat(1000)));
      };
      response.on("drain", flood);
      flood();
    });
    await expect(read([`http://${host}/`], { ownHosts: [host], bytesMax: 100_000 })).rejects.toThrow(
      RangeError,
    );
  });

  test("a list that drips, or never begins, is cut off by its time", async () => {
    const dripping = await serve((_request, response) => {
      const timer = setInterval(() => response.write("203.0.113.7\n"), 20);
      response.on("close", () => clearInterval(timer));
    });
    const silent = await serve(() => undefined);
    for (const { host } of [dripping, silent]) {
      const startMs = performance.now();
      await expect(read([`http://${host}/`], { ownHosts: [host], seconds: 0.3 })).rejects.toThrow();
      expect(performance.now() - startMs).toBeLessThan(5000);
    }
  });
});

describe("SSRF", () => {
  test.each([
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f.1",
    "0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "127.0.0.1.",
  ])("https://%s, which is this machine, is not connected to", async (name) => {
    const { port, visits } = await serve((_request, response) => response.end("203.0.113.7"));
    await expect(read([`https://${name}:${port}/`])).rejects.toThrow();
    expect(visits()).toBe(0);
  });

  test.each(["http", "https"])("a redirect by %s to this machine is not followed", async (scheme) => {
    const inner = await serve((_request, response) => response.end("203.0.113.7"));
    const outer = await serve((_request, response) =>
      response.writeHead(302, { location: `${scheme}://${inner.host}/` }).end(),
    );
    // Not even where the host it leads to is one's own: only who writes the settings may say so.
    await expect(read([`http://${outer.host}/`], { ownHosts: [outer.host, inner.host] })).rejects.toThrow();
    expect(inner.visits()).toBe(0);
  });

  test("a redirect on the same host is followed", async () => {
    const { host } = await serve((request, response) => {
      if (request.url === "/latest") response.writeHead(301, { location: "/list.txt" }).end();
      else response.end("203.0.113.7");
    });
    expect(await read([`http://${host}/latest`], { ownHosts: [host] })).toBe("203.0.113.7\n");
  });

  test.each([
    ["in a circle", "/"],
    ["to nowhere", undefined],
    ["to what is no URL", "https://:"],
    ["to a file", "file:///etc/passwd"],
  ])("a redirect %s is an error", async (_, location) => {
    const { host } = await serve((_request, response) =>
      response.writeHead(302, location === undefined ? {} : { location }).end(),
    );
    await expect(read([`http://${host}/`], { ownHosts: [host] })).rejects.toThrow();
  });

  test("errors tell no address", async () => {
    const { port } = await serve((_request, response) => response.end());
    const failure = await read([`https://127.0.0.1:${port}/`]).catch((error: Error) => error);
    expect(String(failure)).not.toContain("127.0.0.1");
  });
});
