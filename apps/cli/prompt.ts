import { createInterface, type Interface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Environment } from "./environment.ts";
import { CliError, usageError } from "./failure.ts";

/** Longer input is no password. */
const STDIN_CHARACTERS_MAX = 4096;

/** Whether a person sits at the terminal. */
export function isInteractive({ stdin, stderr }: Environment): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}

export function ask(environment: Environment, question: string): Promise<string> {
  return readAnswer(environment, environment.stderr, (reader) => reader.question(question));
}

/** Asks without showing what is typed. */
export async function askSecret(environment: Environment, question: string): Promise<string> {
  const { stderr } = environment;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const answer = await readAnswer(environment, nowhere, (reader) => {
    // Asking before the reader exists would let the terminal itself show what is typed.
    stderr.write(question);
    return reader.question("");
  });
  stderr.write("\n");
  return answer;
}

async function readAnswer(
  { stdin, stderr }: Environment,
  output: NodeJS.WritableStream,
  read: (reader: Interface) => Promise<string>,
): Promise<string> {
  const reader = createInterface({ input: stdin, output, terminal: true });
  const gone = Promise.withResolvers<never>();
  const cancel = () => {
    stderr.write("\n");
    gone.reject(new CliError("cli.cancelled", "Cancelled; nothing was done."));
  };
  reader.once("SIGINT", cancel);
  reader.once("close", cancel);
  try {
    return await Promise.race([read(reader), gone.promise]);
  } finally {
    reader.off("close", cancel);
    reader.close();
  }
}

/**
 * Makes sure that something which cannot be undone is wanted: by `--yes`, or by asking.
 *
 * @throws CliError `cli.usage` where nobody can be asked, `cli.cancelled`
 */
export async function confirm(
  environment: Environment,
  question: string,
  options: { readonly yes: boolean; readonly json: boolean },
): Promise<void> {
  if (options.yes) return;
  if (options.json || !isInteractive(environment)) {
    throw usageError("This asks first, and here nobody can be asked.", "Say yes beforehand: --yes");
  }
  const answer = await ask(environment, `${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError("cli.cancelled", "Cancelled; nothing was done.");
}

/**
 * Gets a password from standard input or by asking, never from the arguments, which others on the machine can see.
 *
 * @throws CliError `cli.usage`, `cli.cancelled`
 */
export async function readPassword(
  environment: Environment,
  options: { readonly fromStdin: boolean; readonly repeat: boolean },
): Promise<string> {
  if (options.fromStdin) return readPasswordFromStdin(environment.stdin);
  if (!isInteractive(environment)) {
    throw usageError(
      "There is no terminal to ask for the password.",
      "Give it on standard input: --password-stdin",
    );
  }
  const password = await askSecret(environment, "Password: ");
  if (options.repeat && (await askSecret(environment, "Password again: ")) !== password) {
    throw new CliError("cli.passwords_differ", "The two passwords differ; nothing was done.");
  }
  return password;
}

async function readPasswordFromStdin(stdin: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stdin) {
    text += String(chunk);
    if (text.length > STDIN_CHARACTERS_MAX) throw usageError("Standard input is too long for a password.");
  }
  const password = text.replace(/\r?\n$/, "");
  if (password === "") throw usageError("Standard input holds no password.");
  return password;
}
