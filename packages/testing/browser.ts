import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { type Requirements, requirements } from "./requirements.ts";
import { temporaryDir } from "./temporary.ts";

/** Where Debian's package `chromium` has it. */
const CHROMIUM_PATH = "/usr/bin/chromium";

/** Nothing may leave the machine by itself, and no graphics or sandbox is needed on a server. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface Browser {
  /** All pages share cookies and storage; a second person needs a second browser. */
  readonly context: BrowserContext;
  newPage(): Promise<Page>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface BrowserOptions {
  /** The network namespace to run in; absent means the one of this process. */
  namespace?: string;
  /** Pages' size in pixels. Default 1280 × 800. */
  size?: { width: number; height: number };
  /** Accepts certificates of nobody in particular. Default false. */
  trustsAnyCertificate?: boolean;
}

/** What a suite with a browser needs. */
export function browserRequirements(tools: readonly string[] = []): Requirements {
  const missing = existsSync(CHROMIUM_PATH) ? undefined : "Debian's Chromium";
  return requirements({ tools, others: [missing] });
}

/** Starts Debian's Chromium without a window and with an empty profile. Costs about 0.5 s and 200 MB. */
export async function openBrowser(options: BrowserOptions = {}): Promise<Browser> {
  const { namespace, size = { width: 1280, height: 800 }, trustsAnyCertificate = false } = options;
  const profile = temporaryDir("browser");
  const inNamespace = fileURLToPath(new URL("./stand-ins/chromium-in-namespace", import.meta.url));
  const context = await chromium.launchPersistentContext(join(profile.path, "profile"), {
    executablePath: namespace === undefined ? CHROMIUM_PATH : inNamespace,
    args: FLAGS,
    chromiumSandbox: false,
    // Signals are the program's own business; Chromium ends when its pipe closes.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    viewport: size,
    ignoreHTTPSErrors: trustsAnyCertificate,
    env: { ...definedEnv(), HOME: profile.path, LAB_NAMESPACE: namespace ?? "", LAB_CHROMIUM: CHROMIUM_PATH },
  });
  const close = async () => {
    await context.close();
    profile.remove();
  };
  return { context, newPage: () => context.newPage(), close, [Symbol.asyncDispose]: close };
}

function definedEnv(): Record<string, string> {
  const entries = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return Object.fromEntries(entries);
}

/** Writes a picture of the whole page as PNG. */
export async function screenshot(page: Page, path: string): Promise<void> {
  await writeFile(path, await page.screenshot({ fullPage: true, type: "png", animations: "disabled" }));
}

/**
 * Reads the QR code in a PNG with zbar, which knows nothing of the library that drew it. Blocks for about 50 ms.
 *
 * @returns the text exactly, line ends included; undefined when the picture holds no code
 */
export function decodeQr(png: Uint8Array): string | undefined {
  // Only QR, and binary: otherwise zbar guesses at character sets.
  const settings = ["-Sdisable", "-Sqrcode.enable", "-Sqrcode.binary"];
  const args = ["-q", "--nodbus", "--raw", "-1", ...settings, "png:-"];
  const { stdout, status, stderr, error } = spawnSync("zbarimg", args, { input: png, encoding: "utf8" });
  if (error !== undefined) throw new Error("zbarimg could not be started", { cause: error });
  /** zbarimg(1): "4: No barcode was detected in one or more of the images." */
  if (status === 4) return undefined;
  if (status !== 0) throw new Error(`zbarimg failed with code ${status}: ${stderr.trim()}`);
  return stdout;
}
