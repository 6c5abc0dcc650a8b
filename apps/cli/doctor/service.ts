import { ApiError, sentinelErrors } from "@securewave/contracts";
import type { Connection } from "../connection.ts";
import { describeFailure } from "../failure.ts";
import { plain } from "../output.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import type { Machine } from "./machine.ts";

const OTHERS = 0o077;
const MENDS: Record<Connection["loginSource"], string> = {
  environment: "Put a valid token into SECUREWAVE_TOKEN",
  api_key: "Put a valid key into SECUREWAVE_API_KEY",
  saved: "securewave login",
  none: "securewave login",
};

/** Whether the service answers and is well, and whether the log-in holds. */
export async function checkService(connection: Connection): Promise<Check[]> {
  const health = await checkHealth(connection);
  return health.verdict === "fail" || health.finding.startsWith(UNREACHABLE)
    ? [health]
    : [health, await checkLogin(connection)];
}

const UNREACHABLE = "not reachable";

async function checkHealth({ client, url }: Connection): Promise<Check> {
  const name = "Service";
  try {
    const { status, checks } = await client.service.health();
    if (status === "healthy") return ok(name, `healthy at ${url}`);
    const wrong = Object.entries(checks).map(([check, result]) => `${check}: ${plain(result)}`);
    const finding = `${status} at ${url} (${wrong.join("; ")})`;
    return (status === "degraded" ? warn : fail)(
      name,
      finding,
      "See its nodes with securewave status, and read what the service logs",
    );
  } catch (error) {
    const { hostname } = new URL(url);
    const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
    if (!(error instanceof ApiError) || error.status !== 0) {
      return fail(name, `${url} does not answer as SecureWave does`, "Give the right address with --url");
    }
    if (isLocal) return warn(name, `${UNREACHABLE} at ${url}`, "Start it: npm start");
    return fail(
      name,
      `${UNREACHABLE} at ${url}`,
      "Is it running, is the address right, does a firewall stand between?",
    );
  }
}

async function checkLogin({ client, loginSource }: Connection): Promise<Check> {
  const name = "Log-in";
  if (loginSource === "none") return warn(name, "none", "Most commands need one: securewave login");
  try {
    const { email, role } = await client.accounts.me();
    return ok(name, `${email}, ${role}`);
  } catch (error) {
    // A key that may not look at its account is good all the same.
    if (error instanceof ApiError && error.code === sentinelErrors.scopeMissing.code)
      return ok(name, "API key");
    return fail(name, describeFailure(error).shown.message, MENDS[loginSource]);
  }
}

/** The saved log-ins are for their owner alone. */
export async function checkCredentialsFile(machine: Machine, path: string): Promise<Check> {
  const name = "Saved log-ins";
  const found = await machine.stat(path);
  if (found === undefined) return ok(name, `none in ${path}`);
  if (machine.platform !== "win32" && (found.mode & OTHERS) !== 0) {
    return fail(name, `${path} is open to others`, `chmod 600 ${path}`);
  }
  return ok(name, path);
}
