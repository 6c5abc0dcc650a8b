import { fileURLToPath } from "node:url";
import { type RunResult, run } from "@securewave/testing";
import { expect } from "vitest";
import { cleanEnvironment } from "./control-plane.ts";

/** The link that `npm install` makes, which `npx securewave` runs. */
const COMMAND = fileURLToPath(new URL("../node_modules/.bin/securewave", import.meta.url));

/**
 * The operator's command, as somebody runs it who sees nothing but a home of their own.
 *
 * @param place asked at each run, so that a test may say it before there is one
 */
export function commandAt(place: () => { readonly homeDir: string; readonly url: string }) {
  const securewave = (
    args: readonly string[],
    input = "",
    env: Readonly<Record<string, string>> = {},
  ): Promise<RunResult> => {
    const { homeDir, url } = place();
    const own = { SECUREWAVE_URL: url, HOME: homeDir, XDG_CONFIG_HOME: undefined, NO_COLOR: "1" };
    return run(COMMAND, args, {
      cwd: homeDir,
      input,
      env: { ...cleanEnvironment(), ...own, ...env },
      timeoutMs: 60_000,
    });
  };
  /** What it writes on success. */
  const told = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await securewave(args);
    expect(code, stderr).toBe(0);
    return stdout;
  };
  const json = async (...args: readonly string[]) => JSON.parse(await told(...args, "--json"));
  return { securewave, told, json };
}
