import type { FakeCall } from "@securewave/contracts/testing/fake-call";

export interface Input extends FakeCall {
  readonly token: string;
}

export type Handlers = Readonly<Record<string, (input: Input) => unknown>>;
