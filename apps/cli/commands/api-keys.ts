import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { type ApiKey, type Client, SCOPES, type Scope } from "@securewave/contracts";
import { asksFirst, lists } from "../acts.ts";
import { type Call, given, type Perform } from "../call.ts";
import { duration } from "../duration.ts";
import { counted, humanDay } from "../human.ts";
import { commaList, integer } from "../options.ts";
import type { Column } from "../output.ts";
import { passwordStdinOption, prove } from "../proof.ts";
import { BY_NAME, findApiKey } from "../resolve.ts";

/** As the contract has them. */
const DAYS_MAX = 3650;
const REQUESTS_PER_MINUTE_MAX = 10_000;

type ShownKey = Awaited<ReturnType<Client["apiKeys"]["create"]>>;

export function addApiKeyCommands(program: CommandUnknownOpts, perform: Perform): void {
  const keys = program
    .command("api-keys")
    .description("one's own keys for programs, each for no more than it is allowed");
  addListCommand(keys, perform);
  addCreateCommand(keys, perform);
  addRotateCommand(keys, perform);
  addRevokeCommand(keys, perform);
}

function addListCommand(keys: CommandUnknownOpts, perform: Perform): void {
  const command = keys
    .command("list")
    .description("list one's own API keys, without their texts")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave api-keys list
  $ securewave api-keys list --json`,
    );
  lists(command, perform, {
    noun: "API key",
    open: (api) => (query) => api.apiKeys.list({ query }),
    columns: keyColumns,
  });
}

function addCreateCommand(keys: CommandUnknownOpts, perform: Perform): void {
  keys
    .command("create")
    .description("make an API key; its text is written this once")
    .argument("<name>", "what program it is for")
    .addOption(
      new Option("-s, --scope <scopes>", "what it may do; several with commas, or the option again")
        .choices(SCOPES)
        .argParser(readScopes)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--expires-in <duration>", "how long it works, such as 30d (the service: 90d)").argParser(
        duration("d", DAYS_MAX),
      ),
    )
    .addOption(
      new Option("--rate <number>", "requests per minute (the service: 300)").argParser(
        integer(1, REQUESTS_PER_MINUTE_MAX),
      ),
    )
    .addOption(passwordStdinOption())
    .addHelpText(
      "after",
      `
Standard output holds the text of the key and nothing else, so that it can go where the program finds it. A key never
allows more than the role of its account does, and none can change how one logs in. Its program puts it into
SECUREWAVE_API_KEY, or sends it as: Authorization: Bearer swk_…

Examples:
  $ securewave api-keys create Dashboard --scope fleet:read
  $ (umask 077; securewave api-keys create "Backup script" -s devices:read,servers:read --expires-in 30d > key.txt)`,
    )
    .action((name, options) =>
      perform(async (call) => {
        const { apiKeys } = await call.client();
        const limits = given({
          expires_in_days: options.expiresIn,
          requests_per_minute: options.rate,
        });
        const made = await prove(call, options.passwordStdin === true, (proof) =>
          apiKeys.create({ body: { name, scopes: options.scope, ...limits, ...proof } }),
        );
        showOnce(call, made);
      }),
    );
}

function addRotateCommand(keys: CommandUnknownOpts, perform: Perform): void {
  keys
    .command("rotate")
    .description("give a key a new text; the old one works until the end of the next day (UTC)")
    .argument("<key>", BY_NAME)
    .addOption(passwordStdinOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave api-keys rotate Dashboard
  $ (umask 077; securewave api-keys rotate "Backup script" --password-stdin < password.txt > key.txt)`,
    )
    .action((text, options) =>
      perform(async (call) => {
        const api = await call.client();
        const { id } = await findApiKey(api, text);
        const rotated = await prove(call, options.passwordStdin === true, (proof) =>
          api.apiKeys.rotate({ params: { id }, body: proof }),
        );
        showOnce(call, rotated);
      }),
    );
}

function addRevokeCommand(keys: CommandUnknownOpts, perform: Perform): void {
  const command = keys
    .command("revoke")
    .description("end an API key at once")
    .argument("<key>", BY_NAME)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave api-keys revoke Dashboard
  $ securewave api-keys revoke key_0123456789abcdefghjk --yes --json`,
    );
  asksFirst(command, perform, {
    find: findApiKey,
    question: ({ name }) => `Revoke ${name}? Programs that use it are refused from that moment.`,
    async act(api, key) {
      await api.apiKeys.revoke({ params: { id: key.id } });
      return key;
    },
    done: ({ name }) => `${name} is revoked.`,
  });
}

/** Writes the text of a key to standard output, and what people should know of it beside. */
function showOnce({ out, nowMs }: Call, key: ShownKey): void {
  out.note(`${key.name} (${key.id})`);
  out.note(`  may do  ${key.scopes.join(", ")}; ${counted(key.requests_per_minute, "request")} a minute`);
  out.note(`  until   ${humanDay(key.expires_on, nowMs)}`);
  if (key.previous_until !== null) {
    out.note(`  The old text works until the end of ${humanDay(key.previous_until, nowMs)} (UTC).`);
  }
  out.result(key, () => key.text);
  out.note("Warning: this text is shown once. Whoever has it can do what the key allows.");
}

function readScopes(text: string, previous: readonly Scope[] | undefined): Scope[] {
  const words = commaList(text);
  const scopes = SCOPES.filter((scope) => words.includes(scope) || previous?.includes(scope));
  const unknown = words.find((word) => !SCOPES.some((scope) => scope === word));
  if (unknown !== undefined || scopes.length === 0) {
    throw new InvalidArgumentError(`Allowed choices are ${SCOPES.join(", ")}.`);
  }
  return scopes;
}

function keyColumns({ nowMs }: Call, keys: readonly ApiKey[]): Column<ApiKey>[] {
  const isOverlapping = keys.some(({ previous_until }) => previous_until !== null);
  return [
    { title: "NAME", value: (key) => key.name, style: () => "bold" },
    { title: "SCOPES", value: (key) => key.scopes.join(" ") },
    { title: "RATE", value: (key) => `${key.requests_per_minute}/min`, align: "right" },
    { title: "CREATED", value: (key) => humanDay(key.created_on, nowMs) },
    { title: "UNTIL", value: (key) => humanDay(key.expires_on, nowMs) },
    ...(isOverlapping ? [{ title: "OLD TEXT UNTIL", value: (key: ApiKey) => key.previous_until ?? "" }] : []),
    { title: "ID", value: (key) => key.id, style: () => "dim" },
  ];
}
