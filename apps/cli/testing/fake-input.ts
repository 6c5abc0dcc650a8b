/** What a request holds, once it is checked against the contract. */
export interface Input {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly token: string;
}

export type Handlers = Readonly<Record<string, (input: Input) => unknown>>;
