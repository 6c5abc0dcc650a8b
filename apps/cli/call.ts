import type { Client } from "@securewave/contracts";
import { type Connection, connect } from "./connection.ts";
import type { Environment } from "./environment.ts";
import type { ExitCode } from "./failure.ts";
import type { Output } from "./output.ts";
import { confirm } from "./prompt.ts";

/** One running command: where it writes, and how it reaches the service. */
export interface Call {
  readonly environment: Environment;
  readonly out: Output;
  readonly nowMs: number;
  /** @throws CliError `cli.usage`, `cli.credentials_unreadable` */
  readonly connect: () => Promise<Connection>;
  /** @throws what `connect` throws */
  readonly client: () => Promise<Client>;
  /** @throws CliError `cli.usage`, `cli.cancelled` */
  readonly confirm: (question: string, yes: boolean | undefined) => Promise<void>;
}

export type Act = (call: Call) => Promise<ExitCode | undefined>;

/** Runs what a command does, shows what it throws, and keeps its exit code. */
export type Perform = (act: Act) => Promise<void>;

export function createCall(environment: Environment, out: Output, url: string | undefined): Call {
  let connection: Promise<Connection> | undefined;
  const connectOnce = () => {
    connection ??= connect(environment, url);
    return connection;
  };
  return {
    environment,
    out,
    nowMs: environment.clock.now(),
    connect: connectOnce,
    client: async () => (await connectOnce()).client,
    confirm: (question, yes = false) => confirm(environment, question, { yes, json: out.json }),
  };
}

type WithoutUndefined<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** Leaves out the fields that are undefined, which the API's schemas do not take. */
export function given<Fields extends object>(fields: Fields): WithoutUndefined<Fields>;
export function given(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
