import { readFile } from "node:fs/promises";
import { Argument, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Breach, type Client, CREDENTIALS, type Credential } from "@securewave/contracts";
import { lists } from "../acts.ts";
import { type Call, given, type Perform } from "../call.ts";
import { CliError, EXIT, usageError } from "../failure.ts";
import { counted, timeText } from "../human.ts";
import { yesOption } from "../options.ts";
import type { Column, Output } from "../output.ts";
import { type Proof, passwordStdinOption, prove } from "../proof.ts";
import { showNode } from "../resolve.ts";

type Summary = Awaited<ReturnType<Client["breaches"]["list"]>>["items"][number];

/** What `rotate all` ends; nodes that are late have to be given time, so that is a step of its own. */
const AT_ONCE: readonly Credential[] = CREDENTIALS.filter((what) => what !== "late_nodes");

const QUESTIONS: Readonly<Record<Credential, string>> = {
  sessions: "Everybody is logged out, but for this log-in.",
  links: "Every link that was sent by mail ends: people ask for another one.",
  api_keys: "Every API key ends: its owner makes another one.",
  signing: "Every access token of a former key is refused at once: programs renew theirs.",
  encryption: "A new key seals what is secret in the store.",
  nodes: "Every connected node makes itself another credential; tunnels go on.",
  late_nodes: "Nodes that have made no other credential join anew by hand; their tunnels go on.",
};

export function addBreachCommands(program: CommandUnknownOpts, perform: Perform): void {
  const breach = program
    .command("breach")
    .description("when somebody has got in: close, end every credential, tell customers, keep the timeline");
  addStart(breach, perform);
  addStatus(breach, perform);
  addRotate(breach, perform);
  addNote(breach, perform);
  addNotify(breach, perform);
  addClose(breach, perform);
  addList(breach, perform);
}

function addStart(breach: CommandUnknownOpts, perform: Perform): void {
  breach
    .command("start")
    .description("open a breach, and let in nobody but staff; tunnels go on")
    .argument("<summary>", "what is known so far, in a sentence")
    .addOption(yesOption())
    .addOption(passwordStdinOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave breach start "An operator's laptop was stolen"
  $ securewave breach start "Key found in a public repository" --yes --password-stdin < password.txt`,
    )
    .action((summary, options) =>
      perform(async (call) => {
        const { breaches } = await call.client();
        await call.confirm("Customers are let in no more until it is closed. Go on?", options.yes);
        const opened = await proving(call, options, (proof) =>
          breaches.start({ body: { summary, ...proof } }),
        );
        show(call.out, opened);
        call.out.note("Next: securewave breach rotate all");
      }),
    );
}

function addStatus(breach: CommandUnknownOpts, perform: Perform): void {
  breach
    .command("status")
    .description(
      "show the open breach, or the last one: its timeline, what goes on, what is to be done by hand",
    )
    .addHelpText("after", "\nExamples:\n  $ securewave breach status\n  $ securewave breach status --json")
    .action(() =>
      perform(async (call) => {
        const { breaches } = await call.client();
        const [newest] = (await breaches.list({ query: { limit: 1 } })).items;
        if (!newest) {
          call.out.result(null, () => "No breach was ever opened.");
          return;
        }
        show(call.out, await breaches.show({ params: { id: newest.id } }));
      }),
    );
}

function addRotate(breach: CommandUnknownOpts, perform: Perform): void {
  breach
    .command("rotate")
    .description("end credentials: whoever has a former one is refused from here on")
    .addArgument(
      new Argument("<what>", "which; `all` is every one but late_nodes").choices(["all", ...CREDENTIALS]),
    )
    .addOption(yesOption())
    .addOption(passwordStdinOption())
    .addHelpText(
      "after",
      `
Credentials that stand in the configuration are changed there; status lists them.

Examples:
  $ securewave breach rotate all
  $ securewave breach rotate sessions
  $ securewave breach rotate late_nodes`,
    )
    .action((what, options) =>
      perform(async (call) => {
        const api = await call.client();
        const { id } = await openOne(api);
        const wanted = what === "all" ? AT_ONCE : CREDENTIALS.filter((known) => known === what);
        await call.confirm(`${wanted.map((each) => QUESTIONS[each]).join("\n")}\nGo on?`, options.yes);
        const last = await proving(call, options, async (proof) => {
          let shown: Breach | undefined;
          for (const each of wanted) {
            shown = await api.breaches.rotate({ params: { id }, body: { what: each, ...proof } });
            call.out.note(`${each}: ${shown.entries.at(-1)?.detail}`);
          }
          return shown;
        });
        if (last) show(call.out, last);
      }),
    );
}

function addNote(breach: CommandUnknownOpts, perform: Perform): void {
  breach
    .command("note")
    .description("write what was found or done into the timeline")
    .argument("<text>", "what")
    .addHelpText("after", '\nExamples:\n  $ securewave breach note "The stolen key was used on Tuesday"')
    .action((text) =>
      perform(async (call) => {
        const api = await call.client();
        const { id } = await openOne(api);
        show(call.out, await api.breaches.note({ params: { id }, body: { text } }));
      }),
    );
}

function addNotify(breach: CommandUnknownOpts, perform: Perform): void {
  breach
    .command("notify")
    .description("write to everybody, or to those who have a device on a node: one mail each")
    .argument("<subject>", "of the mail")
    .requiredOption("-f, --file <file>", "its text; paragraphs are parted by empty lines")
    .option("--node <node>", "only to those who have a device there (name or id)")
    .addOption(yesOption())
    .addOption(passwordStdinOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave breach notify "About your account" --file letter.txt
  $ securewave breach notify "About your devices" --file letter.txt --node Frankfurt-1`,
    )
    .action((subject, options) =>
      perform(async (call) => {
        const api = await call.client();
        const { id } = await openOne(api);
        const text = (await readText(options.file)).trim();
        if (text === "") throw usageError(`${options.file} is empty.`);
        const node = options.node === undefined ? undefined : await showNode(api, options.node);
        const whom = node ? `everybody who has a device on ${node.name}` : "everybody";
        await call.confirm(`A mail goes to ${whom}, and cannot be called back. Send it?`, options.yes);
        const body = { subject, text, ...given({ node_id: node?.id }) };
        show(
          call.out,
          await proving(call, options, (proof) =>
            api.breaches.notify({ params: { id }, body: { ...body, ...proof } }),
          ),
        );
      }),
    );
}

function addClose(breach: CommandUnknownOpts, perform: Perform): void {
  breach
    .command("close")
    .description("close the breach, and let in again whom maintenance does not keep out")
    .option("-t, --text <text>", "what it came to")
    .addOption(yesOption())
    .addOption(passwordStdinOption())
    .addHelpText(
      "after",
      '\nExamples:\n  $ securewave breach close --text "The key was revoked; nothing was taken"',
    )
    .action((options) =>
      perform(async (call) => {
        const api = await call.client();
        const { id } = await openOne(api);
        const { waiting } = await api.breaches.show({ params: { id } });
        if (waiting.nodes.length > 0)
          call.out.note(
            `${counted(waiting.nodes.length, "node")} made no other credential yet: securewave breach rotate late_nodes`,
          );
        await call.confirm("Customers are let in again. Close it?", options.yes);
        show(
          call.out,
          await proving(call, options, (proof) =>
            api.breaches.close({ params: { id }, body: { ...given({ text: options.text }), ...proof } }),
          ),
        );
      }),
    );
}

function addList(breach: CommandUnknownOpts, perform: Perform): void {
  const command = breach
    .command("list")
    .description("list breaches, the newest first")
    .addHelpText("after", "\nExamples:\n  $ securewave breach list\n  $ securewave breach list --all --json");
  lists(command, perform, {
    noun: "breach",
    none: "No breach was ever opened.",
    open: (api) => (query) => api.breaches.list({ query }),
    columns: (): Column<Summary>[] => [
      { title: "BREACH", value: ({ summary }) => summary, style: () => "bold" },
      { title: "OPENED", value: ({ opened_at }) => instantText(opened_at) },
      { title: "CLOSED", value: ({ closed_at }) => (closed_at === null ? "open" : instantText(closed_at)) },
    ],
  });
}

function proving<Result>(
  call: Call,
  { passwordStdin }: { readonly passwordStdin?: true },
  act: (proof: Proof) => Promise<Result>,
): Promise<Result> {
  return prove(call, passwordStdin === true, act);
}

/** @throws CliError `cli.no_breach` */
async function openOne(api: Client): Promise<Summary> {
  const [newest] = (await api.breaches.list({ query: { limit: 1 } })).items;
  if (newest && newest.closed_at === null) return newest;
  throw new CliError("cli.no_breach", "No breach is open.", {
    next: 'Open one: securewave breach start "what is known"',
    exitCode: EXIT.failed,
  });
}

/** @throws CliError `cli.usage` */
async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => {
    throw usageError(`${path} cannot be read.`);
  });
}

function instantText(instant: string): string {
  return timeText(instant.replace(/\.\d+Z$/, "Z"));
}

function show(out: Output, breach: Breach): void {
  out.result(breach, () => {
    const { summary, opened_at, closed_at, entries, waiting, by_hand } = breach;
    const timeline = out.table(
      [
        { title: "TIME (UTC)", value: ({ at }) => instantText(at) },
        { title: "WHAT", value: ({ kind }) => kind, style: () => "bold" },
        { title: "", value: ({ detail }) => detail.replace(/\s+/g, " "), isWhole: true },
      ] satisfies Column<Breach["entries"][number]>[],
      entries,
    );
    const facts = out.fields([
      ["Breach", summary],
      ["Opened", instantText(opened_at)],
      ["Closed", closed_at === null ? "no: only staff are let in" : instantText(closed_at)],
      [
        "Nodes",
        waiting.nodes.length === 0 ? undefined : `wait for another credential: ${waiting.nodes.join(", ")}`,
      ],
      [
        "Secrets",
        waiting.secrets === 0 ? undefined : `${counted(waiting.secrets, "secret")} left to seal anew`,
      ],
      ["Letters", waiting.letters === null ? undefined : String(waiting.letters)],
    ]);
    const hand = closed_at === null ? `\n\nBy hand:\n${by_hand.map((line) => `  - ${line}`).join("\n")}` : "";
    return `${facts}\n\n${timeline}${hand}`;
  });
}
