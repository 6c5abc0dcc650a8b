import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { redisAt, redisSurfaces } from "@securewave/ghosts";
import { openRawRedis } from "@securewave/ghosts/surfaces/resp";
import { requirements, temporaryDir } from "@securewave/testing";
import { openTestRedis } from "@securewave/testing/redis";
import { afterEach, describe, expect, test } from "vitest";

const needs = requirements({ tools: ["redis-server", "openssl"] });
const authorities = getCACertificates("default");
afterEach(() => setDefaultCACertificates(authorities));

test("a URL says whether TLS is spoken, who logs in, and where; IPv6 addresses stand without brackets", () => {
  expect(redisAt("redis://cache.internal")).toEqual({
    host: "cache.internal",
    port: 6379,
    isSecure: false,
  });
  expect(redisAt("rediss://securewave:p%40ss@[2001:db8::1]:6380/0")).toEqual({
    host: "2001:db8::1",
    port: 6380,
    isSecure: true,
    user: "securewave",
    password: "p@ss",
  });
});

describe.skipIf(!needs.ok)(needs.title("a Redis that speaks TLS and has users"), () => {
  test("is searched where its certificate is trusted, and not otherwise", async () => {
    using dir = temporaryDir("ghosts-redis-tls");
    const [certificatePath, keyPath] = makeCertificate(dir.path);
    await using redis = await openTestRedis({
      tls: { certificatePath, keyPath },
      settings: { user: "searcher on >p@ss ~* +@all" },
    });
    const at = redisAt(redis.url.replace("//", "//searcher:p%40ss@"));
    await expect(openRawRedis(at)).rejects.toThrow();
    setDefaultCACertificates([...authorities, readFileSync(certificatePath, "utf8")]);
    const raw = await openRawRedis(at);
    expect(String(await raw.ask("ACL", "WHOAMI"))).toContain("searcher");
    await raw.ask("SET", "session", "198.18.200.201");
    raw.close();
    const [memory] = redisSurfaces(at);
    let all = "";
    for await (const { read } of memory?.collect({ skip: () => {} }) ?? []) {
      for await (const piece of read()) all += piece.toString("latin1");
    }
    expect(all).toContain("198.18.200.201");
    await expect(openRawRedis({ ...at, password: "another" })).rejects.toThrow("refuses AUTH");
  });
});

function makeCertificate(dir: string): [certificatePath: string, keyPath: string] {
  const [certificatePath, keyPath] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  const form = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
  const { status } = spawnSync("openssl", [
    "req",
    ...form,
    ...names,
    "-keyout",
    keyPath,
    "-out",
    certificatePath,
  ]);
  expect(status).toBe(0);
  return [certificatePath, keyPath];
}
