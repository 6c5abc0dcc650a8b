import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { createServer, type RequestListener } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { requirements, temporaryDir } from "@securewave/testing";
import { afterAll, describe, expect, test } from "vitest";
import { readLists } from "./index.ts";
import type { SourceOptions } from "./sources.ts";

const needs = requirements({ tools: ["openssl"] });
const dir = temporaryDir("lists");
const cleanups: (() => unknown)[] = [dir.remove];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function textOf(source: string | string[], options: SourceOptions = {}): Promise<string> {
  let text = "";
  for await (const piece of readLists([source].flat(), options)) text += piece;
  return text;
}

describe("lists in files", () => {
  test("are read one after the other, each to a line's end", async () => {
    const paths = ["one", "two"].map((name) => join(dir.path, name));
    for (const path of paths) writeFileSync(path, "203.0.113.0/24 # ü");
    expect(await textOf(paths)).toBe("203.0.113.0/24 # ü\n203.0.113.0/24 # ü\n");
  });

  test("that are not there or too large are an error", async () => {
    const path = join(dir.path, "large");
    writeFileSync(path, "x".repeat(1000));
    await expect(textOf(path, { bytesMax: 999 })).rejects.toThrow("larger");
    expect(await textOf(path, { bytesMax: 1000 })).toHaveLength(1001);
    await expect(textOf(join(dir.path, "nothing"))).rejects.toThrow("ENOENT");
  });
});

describe("server-side request forgery", () => {
  test.each([
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://0.0.0.0/",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/",
    "https://192.168.1.1:8443/",
    "https://100.64.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://localhost/",
    "https://user:word@127.0.0.1/",
  ])("%s is not asked", async (url) => {
    await expect(textOf(url)).rejects.toThrow("not public");
  });

  test.each([
    "http://127.0.0.1/",
    "http://example.org/",
    "file:///etc/passwd",
    "ftp://example.org/",
    "HTTP://example.org/",
  ])(
    "%s is neither a path nor an https URL",
    async (url) => await expect(textOf(url)).rejects.toThrow(TypeError),
  );

  test("nothing connects to an address that is refused, and the error does not tell it", async () => {
    let connections = 0;
    const server = createHttp().listen(0, "127.0.0.1");
    server.on("connection", () => connections++);
    await once(server, "listening");
    cleanups.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    for (const host of ["127.0.0.1", "localhost"]) {
      const error = await textOf(`https://${host}:${port}/`).catch((thrown: Error) => thrown.message);
      expect(error).not.toContain(host);
    }
    expect(connections).toBe(0);
  });
});

describe.skipIf(!needs.ok)(needs.title("lists of a server of one's own"), () => {
  test("are read over https, by its certificate, under its name with the port", async () => {
    const { host, ca } = await serve((_request, response) => response.end("203.0.113.0/24"));
    const url = `https://${host}/list`;
    expect(await textOf(url, { ownHosts: [host], ca })).toBe("203.0.113.0/24\n");
    await expect(textOf(url, { ownHosts: [host] })).rejects.toThrow("self-signed");
    await expect(textOf(url, { ca })).rejects.toThrow("not public");
    await expect(textOf(url, { ownHosts: ["localhost"], ca })).rejects.toThrow("not public");
  });

  test.each([
    ["http://169.254.169.254/", "https URL"],
    ["https://169.254.169.254/", "not public"],
    ["https://localhost:1/", "not public"],
    ["file:///etc/passwd", "https URL"],
    ["/again", "on and on"],
  ])("are not followed to %s", async (location, message) => {
    const { host, ca } = await serve((_request, response) => response.writeHead(302, { location }).end());
    await expect(textOf(`https://${host}/`, { ownHosts: [host], ca })).rejects.toThrow(message);
  });

  test("that are too large, or without end, or never come, are given up", async () => {
    const { host, ca } = await serve((request, response) => {
      if (request.url === "/never") return;
      const more = setInterval(() => response.write("x".repeat(1000)), 5);
      response.on("close", () => clearInterval(more));
    });
    const own = { ownHosts: [host], ca };
    await expect(textOf(`https://${host}/`, { ...own, bytesMax: 5000 })).rejects.toThrow("larger");
    await expect(textOf(`https://${host}/`, { ...own, seconds: 0.3 })).rejects.toThrow();
    await expect(textOf(`https://${host}/never`, { ...own, seconds: 0.3 })).rejects.toThrow();
  });

  test.each([204, 206, 304, 404, 500])("are not made of an answer with status %i", async (status) => {
    const { host, ca } = await serve((_request, response) => response.writeHead(status).end());
    await expect(textOf(`https://${host}/`, { ownHosts: [host], ca })).rejects.toThrow(String(status));
  });
});

async function serve(listener: RequestListener): Promise<{ host: string; ca: string }> {
  const server = createServer(certificate(), listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `localhost:${(server.address() as AddressInfo).port}`, ca: certificate().cert };
}

let made: { cert: string; key: string } | undefined;
function certificate(): { cert: string; key: string } {
  if (made) return made;
  const [certPath, keyPath] = [join(dir.path, "cert.pem"), join(dir.path, "key.pem")];
  const how = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const whose = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const { status } = spawnSync("openssl", ["req", ...how, ...whose, "-keyout", keyPath, "-out", certPath]);
  expect(status).toBe(0);
  made = { cert: readFileSync(certPath, "utf8"), key: readFileSync(keyPath, "utf8") };
  return made;
}
