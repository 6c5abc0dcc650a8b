import { afterEach, beforeEach, expect } from "vitest";
import { type FakeApi, startFakeApi } from "./fake-api.ts";
import { PASSWORD } from "./fake-state.ts";
import { createHome, type Home, type RunOptions } from "./terminal.ts";

export interface TestService {
  readonly api: () => FakeApi;
  readonly home: () => Home;
  /** Runs a command as the admin. */
  readonly run: (line: string, options?: RunOptions) => ReturnType<Home["run"]>;
  readonly logIn: (email: string) => Promise<void>;
}

/** A fresh fake service before each test of a file, with the admin logged in. */
export function useService(): TestService {
  let api: FakeApi;
  let home: Home;
  const logIn = async (email: string) => {
    const ran = await home.run(["login", "--email", email, "--password-stdin"], { stdin: PASSWORD });
    expect(ran.stderr).toBe("");
    expect(ran.code).toBe(0);
  };
  beforeEach(async () => {
    api = await startFakeApi();
    home = await createHome(api.url);
    await logIn("admin@example.org");
  });
  afterEach(async () => {
    await api.close();
    await home.remove();
  });
  return {
    api: () => api,
    home: () => home,
    run: (line, options) => home.run(line.split(" "), options),
    logIn,
  };
}
