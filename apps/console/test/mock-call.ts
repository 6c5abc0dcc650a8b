import type { ServerResponse } from "node:http";
import type { Account } from "@securewave/contracts";
import type { FakeCall } from "@securewave/contracts/testing/fake-call";

/** A request to the mock, checked and taken apart. */
export interface Call extends FakeCall {
  readonly body: Record<string, unknown>;
  readonly params: Record<string, string>;
  readonly query: Record<string, string>;
  readonly cookie: string;
  readonly account: Account | undefined;
}

export type Handler = (call: Call, response: ServerResponse) => unknown;
