import { Option } from "@commander-js/extra-typings";
import { ApiError, sessionErrors } from "@securewave/contracts";
import type { Call } from "./call.ts";
import { usageError } from "./failure.ts";
import { ask, isInteractive, readPassword } from "./prompt.ts";

/** What shows who somebody is: the password, and a code where a second factor is on. */
export interface Proof {
  readonly password: string;
  /** Of the authenticator app, or a recovery code. */
  readonly code?: string;
}

export const passwordStdinOption = () =>
  new Option("--password-stdin", "read the password from standard input, and a code from its second line");

/** Each wrong one brings the account nearer to being locked. */
const CODE_TRIES_MAX = 3;

/**
 * Does something that takes a proof. The password is asked for, and so is a code when it turns out to be needed; or
 * both are read from standard input, each in a line of its own.
 *
 * @throws what `act` throws; CliError `cli.usage`, `cli.cancelled`
 */
export async function prove<Result>(
  call: Call,
  fromStdin: boolean,
  act: (proof: Proof) => Promise<Result>,
): Promise<Result> {
  const { environment, out } = call;
  const text = await readPassword(environment, { fromStdin, repeat: false });
  const proof = fromStdin ? parseLines(text) : { password: text };
  try {
    return await act(proof);
  } catch (error) {
    const mayAsk = !fromStdin && isInteractive(environment) && !out.json;
    if (!isRefusal(error, sessionErrors.secondFactorNeeded) || !mayAsk) throw error;
  }
  out.note("Enter the code of your authenticator app, or one of your recovery codes.");
  for (let tries = 1; ; tries++) {
    const code = (await ask(environment, "Code: ")).trim();
    try {
      return await act({ ...proof, code });
    } catch (error) {
      if (!isRefusal(error, sessionErrors.wrongCode) || tries === CODE_TRIES_MAX) throw error;
      out.note(error.message);
    }
  }
}

function parseLines(text: string): Proof {
  const [password = "", code = "", ...rest] = text.split(/\r?\n/);
  if (password === "") throw usageError("The first line of standard input holds no password.");
  if (rest.some((line) => line !== "")) {
    throw usageError("Standard input holds more than a password and a code, each in a line of its own.");
  }
  return { password, ...(code.trim() !== "" && { code: code.trim() }) };
}

function isRefusal(error: unknown, { code }: { readonly code: string }): error is ApiError {
  return error instanceof ApiError && error.code === code;
}
