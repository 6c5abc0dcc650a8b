import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { ApiError, createClient } from "@securewave/contracts";
import type { Call, Perform } from "../call.ts";
import { type Connection, loginOf } from "../connection.ts";
import { CliError, usageError } from "../failure.ts";
import { ask, isInteractive } from "../prompt.ts";
import { passwordStdinOption, prove } from "../proof.ts";
import { solve } from "./login-challenge.ts";
import { accountFields } from "./users.ts";

export function addLoginCommands(program: CommandUnknownOpts, perform: Perform): void {
  program
    .command("login")
    .description("log in and remember it")
    .option("-e, --email <address>", "mail address of the account")
    .addOption(passwordStdinOption())
    .addHelpText(
      "after",
      `
Where a second factor is on, the code of the authenticator app or a recovery code is asked for. With --password-stdin
it stands in the line after the password. Neither is taken as an argument, which others on the machine can see.

The log-in is kept in securewave/credentials.json below $XDG_CONFIG_HOME (or ~/.config), readable by you alone.
Programs need none: an API key in SECUREWAVE_API_KEY, or an access token in SECUREWAVE_TOKEN, is used in its place.

Examples:
  $ securewave login --email admin@example.org
  $ securewave login --url https://vpn.example.org --email me@example.org --password-stdin < password.txt
  $ (cat password.txt; oathtool --totp -b - < seed.txt) | securewave login --email me@example.org --password-stdin`,
    )
    .action((options) =>
      perform(async (call) => {
        const { url, credentials, loginSource } = await call.connect();
        warnOfPlainHttp(call, url);
        const email = options.email ?? (await askEmail(call));
        const { sessions } = createClient({ baseUrl: url, solveChallenge: (text) => solve(call, text) });
        const session = await prove(call, options.passwordStdin === true, (proof) =>
          sessions.logIn({ body: { email, ...proof } }),
        );
        const login = loginOf(session);
        if (login === undefined)
          throw new CliError("cli.no_refresh_token", "The service sent no refresh token.");
        await credentials.locked((change) => change.save(url, login));
        call.out.result(
          { url, account: session.account },
          () => `Logged in to ${url} as ${session.account.email}.`,
        );
        const variable = VARIABLES[loginSource];
        if (variable !== undefined) call.out.note(`${variable} is set, and is used in place of this log-in.`);
      }),
    );

  program
    .command("logout")
    .description("end this log-in and forget it")
    .option("--everywhere", "end every log-in of the account")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave logout
  $ securewave logout --everywhere`,
    )
    .action((options) =>
      perform(async (call) => {
        const connection = await call.connect();
        if (connection.loginSource === "api_key") {
          throw usageError(
            "SECUREWAVE_API_KEY is used in place of a log-in.",
            "Unset it to log out; to end the key: securewave api-keys revoke <key>",
          );
        }
        const ended = await endSession(connection, options.everywhere === true);
        await connection.credentials.locked((change) => change.forget(connection.url));
        call.out.result({ url: connection.url, ended }, () =>
          ended ? `Logged out of ${connection.url}.` : `There was no log-in at ${connection.url} any more.`,
        );
      }),
    );

  program
    .command("whoami")
    .description("show whose log-in is used")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave whoami
  $ securewave whoami --json`,
    )
    .action(() =>
      perform(async (call) => {
        const { url, client } = await call.connect();
        const account = await client.accounts.me();
        call.out.result({ url, account }, () =>
          call.out.fields([["Service", url], ...accountFields(account, call.nowMs)]),
        );
      }),
    );
}

/** What is used in place of a saved log-in. */
const VARIABLES: Readonly<Partial<Record<Connection["loginSource"], string>>> = {
  environment: "SECUREWAVE_TOKEN",
  api_key: "SECUREWAVE_API_KEY",
};

/** Whether there was a log-in to end. */
async function endSession({ client, loginSource }: Connection, everywhere: boolean): Promise<boolean> {
  if (loginSource === "none") return false;
  try {
    await (everywhere ? client.sessions.logOutEverywhere() : client.sessions.logOut());
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
}

async function askEmail(call: Call): Promise<string> {
  if (call.out.json || !isInteractive(call.environment))
    throw usageError("Say who logs in: --email <address>");
  return (await ask(call.environment, "Mail address: ")).trim();
}

function warnOfPlainHttp(call: Call, url: string): void {
  const { protocol, hostname } = new URL(url);
  const isLocal = hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
  if (protocol === "http:" && !isLocal) {
    call.out.note(
      "Warning: this address is plain http, so the password crosses the network readable by others.",
    );
  }
}
