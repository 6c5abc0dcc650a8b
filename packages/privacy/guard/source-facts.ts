/** One argument of a call: the texts that it can be, where all of them stand in the code; or the members it has. */
export interface ArgumentFacts {
  readonly texts: readonly string[] | undefined;
  readonly members: readonly string[];
}

export interface CallFacts {
  /** `logger.warn`, `fetch`, `WebSocket` after `new` */
  readonly callee: string;
  readonly line: number;
  readonly args: readonly ArgumentFacts[];
  /** Members of the first type that it is given, `jobs.define<{ accountId: string }>`. */
  readonly typeMembers: readonly string[] | undefined;
}

/** What the guard must know of a file of code. */
export interface FileFacts {
  /** Below the project's folder. */
  readonly path: string;
  readonly calls: readonly CallFacts[];
  /** Names that are imported, by module. */
  readonly imports: ReadonlyMap<string, readonly string[]>;
  /** Names of headers that it sets on calls. */
  readonly headers: readonly string[];
  /** Members of interfaces and of types that are written out, by name. */
  readonly types: ReadonlyMap<string, readonly string[]>;
  /** Words of types that are closed lists, and of constants that are lists of words, by name. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
}
