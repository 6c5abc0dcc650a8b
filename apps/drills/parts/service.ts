import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@securewave/contracts";
import { CONTROL_PLANE } from "../../../scripts/program.mjs";
import type { Drill } from "../drill.ts";
import { freePort, type Program, startProgram } from "./programs.ts";
import { demand, until } from "./waiting.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** Of accounts that are made up for one drill. */
export const PASSWORD = "a drill is not the real thing 1";
const ADMIN = "admin@example.org";

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly client: Client;
  readonly token: string;
  readonly refreshToken: string;
}

/** A whole service of its own: the real control plane on an embedded store, below the drill's folder. */
export interface Service {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  /** Where it was started, and with which settings: a command of the same machine has both. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly program: Program;
  /** Without a log-in, or with a token or an API key. */
  client(token?: string): Client;
  /** The first admin, made at the first start. */
  admin(): Promise<Person>;
  logIn(email: string): Promise<Person>;
  customer(name: string): Promise<Person>;
  /** The mails to somebody that lie in the outbox, as they are. */
  mailsTo(email: string): Promise<string[]>;
}

export interface ServiceOptions {
  readonly name: string;
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Where limits are drilled; without it one may ask as often as one likes. */
  readonly hasLimits?: boolean;
}

const NO_LIMITS = {
  RATE_LIMIT_GLOBAL: "1000000",
  RATE_LIMIT_IP: "1000000",
  RATE_LIMIT_USER: "1000000",
  RATE_LIMIT_SENSITIVE: "1000000",
};

/** What a control plane that a drill starts is run with. */
export function controlPlaneCommand(): readonly string[] {
  return [process.execPath, ...CONTROL_PLANE.flags, join(ROOT, "apps/control-plane/main.ts")];
}

/** Starts one, and waits until it answers. It ends with the drill. */
export async function startService(drill: Drill, options: ServiceOptions): Promise<Service> {
  const dir = join(drill.dir, options.name);
  const dataDir = join(dir, "data");
  await mkdir(dir, { recursive: true });
  const port = options.port ?? (await freePort());
  const [command = "", ...args] = controlPlaneCommand();
  const env = {
    ...CONTROL_PLANE.env,
    DATA_DIR: dataDir,
    API_PORT: String(port),
    METRICS_PORT: String(await freePort()),
    LOCAL_NODE: "off",
    NODE_PROBES: "off",
    BACKUPS: "off",
    ...(options.hasLimits ? {} : NO_LIMITS),
    ...options.env,
  };
  const program = startProgram(drill, command, { args, cwd: dir, env, atEnd: "stop" });
  await program.waitFor(/Stop with Ctrl-C/);
  const url = `http://127.0.0.1:${port}`;
  const client = (token?: string) => createClient({ baseUrl: url, token: () => token });

  async function logIn(email: string): Promise<Person> {
    const session = await client().sessions.logIn({ body: { email, password: PASSWORD } });
    const { access_token: token, refresh_token: refreshToken = "", account } = session;
    return { id: account.id, email, client: client(token), token, refreshToken };
  }

  let first: Promise<Person> | undefined;
  async function setUp(): Promise<Person> {
    const link = program.lines.find((line) => line.includes("/setup#token="));
    if (link !== undefined) {
      const token = link.slice(link.indexOf("#token=") + "#token=".length).trim();
      await client().service.setUp({ body: { token, email: ADMIN, password: PASSWORD } });
    }
    return logIn(ADMIN);
  }

  const admin = () => {
    first ??= setUp();
    return first;
  };

  return {
    url,
    port,
    dataDir,
    dir,
    env,
    program,
    client,
    logIn,
    admin,
    async customer(name) {
      const { client: admins } = await admin();
      const email = `${name}@example.org`;
      await admins.accounts.create({ body: { email, password: PASSWORD } });
      return logIn(email);
    },
    async mailsTo(email) {
      const outbox = join(dataDir, "outbox");
      const names = await readdir(outbox).catch(() => []);
      const mails = await Promise.all(
        names
          .filter((name) => name.endsWith(".eml"))
          .sort()
          .map((name) => readFile(join(outbox, name), "utf8")),
      );
      return mails.filter((mail) => new RegExp(`^To: .*${email}`, "m").test(mail));
    },
  };
}

/** @throws Error unless it says of itself that it is well enough to serve */
export async function demandServing(service: Pick<Service, "client">): Promise<void> {
  await until("health", async () => {
    const { status } = await service.client().service.health();
    demand(status !== "unhealthy", `the service is ${status}`);
  });
}
