/** What a refusal is, as its module declares it. */
export interface RefusalSpec {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Safe to show to anyone: no addresses, keys, mail addresses or internals. */
  readonly message: string;
}

/** One kind of refusal. Calling it makes the error to throw. */
export interface Refusal extends RefusalSpec {
  readonly code: string;
  (options?: RefusalOptions): RefusalError;
}

export interface RefusalOptions {
  /** A sentence for this occurrence, safe to show; the declared message stands where there is none. */
  readonly detail?: string;
  /** Safe to log; never an address, a key or a mail address. */
  readonly internal?: string;
  /** Seconds after which trying again makes sense. */
  readonly retryAfterSeconds?: number;
  /** Which parts of the input are wrong, as JSON pointers. */
  readonly issues?: readonly InputIssue[];
}

/** One thing wrong with an input. */
export interface InputIssue {
  /** JSON pointer into the body, or `query/limit`, `params/id`. */
  readonly at: string;
  readonly message: string;
}

/** The program understood and says no: the caller can act on the code. A bug is an `invariant`. */
export class RefusalError extends Error {
  override readonly name = "RefusalError";
  readonly code: string;
  readonly status: number;
  /** The declared message, the same for every occurrence. */
  readonly title: string;
  readonly internal: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly issues: readonly InputIssue[];

  constructor(code: string, spec: RefusalSpec, options: RefusalOptions = {}) {
    super(options.detail ?? spec.message);
    this.code = code;
    this.status = spec.status;
    this.title = spec.message;
    this.internal = options.internal;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.issues = options.issues ?? [];
  }
}

/** Whether an error is a refusal of one kind. */
export function isRefusalOf(error: unknown, { code }: Refusal): error is RefusalError {
  return error instanceof RefusalError && error.code === code;
}

/**
 * Declares the refusals of one domain; `limitReached` of `devices` has the code `devices.limit_reached`.
 */
export function defineErrors<const Specs extends Record<string, RefusalSpec>>(
  domain: string,
  specs: Specs,
): { readonly [Name in keyof Specs]: Refusal } {
  const refusals = Object.entries(specs).map(([name, spec]) => {
    const code = `${domain}.${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
    const make = (options?: RefusalOptions) => new RefusalError(code, spec, options);
    return [name, Object.assign(make, { code, status: spec.status, message: spec.message })] as const;
  });
  return Object.fromEntries(refusals) as { readonly [Name in keyof Specs]: Refusal };
}
