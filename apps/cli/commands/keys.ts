import { setTimeout as pause } from "node:timers/promises";
import { Argument, type CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Client } from "@securewave/contracts";
import type { KeyRings } from "@securewave/contracts/keys";
import type { Call, Perform } from "../call.ts";
import { counted, humanDay } from "../human.ts";
import { yesOption } from "../options.ts";
import type { Column, Output, Style } from "../output.ts";
import { addDataKeyCommands } from "./data-key.ts";

const LOOK_AGAIN_MS = 1_000;
/** Secrets that cannot be opened stay under their key for good: nobody waits for them. */
const STANDSTILL_LOOKS_MAX = 30;

const QUESTIONS = {
  signing: "Put a new key for access tokens to work? Nobody is logged out.",
  encryption: "Put a new encryption key to work, and seal everything in the store anew under it?",
} as const;

type SigningKey = KeyRings["signing"][number];
type EncryptionKey = KeyRings["encryption"][number];

export function addKeyCommands(program: CommandUnknownOpts, perform: Perform): void {
  const keys = program.command("keys").description("keys that sign access tokens and seal what is secret");
  addListCommand(keys, perform);
  addRotateCommand(keys, perform);
  addRootCommand(keys, perform);
  addDataKeyCommands(keys, perform);
}

function addListCommand(keys: CommandUnknownOpts, perform: Perform): void {
  keys
    .command("list")
    .description("show the rings of keys, and what still needs the former ones")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave keys list
  $ securewave keys list --json`,
    )
    .action(() =>
      perform(async ({ client, out, nowMs }) => {
        const rings = await (await client()).keys.list();
        out.result(
          rings,
          () => `${signingTable(out, rings, nowMs)}\n\n${encryptionTable(out, rings, nowMs)}`,
        );
      }),
    );
}

function addRotateCommand(keys: CommandUnknownOpts, perform: Perform): void {
  keys
    .command("rotate")
    .description("put a new key to work; what the former one signed or sealed stays good")
    .addArgument(new Argument("<what>", "which ring").choices(["signing", "encryption"] as const))
    .addOption(yesOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave keys rotate signing
  $ securewave keys rotate encryption --yes`,
    )
    .action((what, options) =>
      perform(async (call) => {
        const api = await call.client();
        await call.confirm(QUESTIONS[what], options.yes);
        const rings = await api.keys.rotate({ body: { what } });
        const settled = what === "encryption" ? await watchResealing(call, api, rings) : rings;
        call.out.result(settled, () => summaryOf(what, settled, call.nowMs));
      }),
    );
}

function addRootCommand(keys: CommandUnknownOpts, perform: Perform): void {
  keys
    .command("root")
    .description("how to change MASTER_KEY, and whether a change is complete")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave keys root`,
    )
    .action(() =>
      perform(async ({ client, out }) => {
        const { master_key_previous } = await (await client()).keys.list();
        out.result({ master_key_previous }, () => rootAdvice(master_key_previous));
      }),
    );
}

/** Tells how much is left until everything is sealed under the key at work. */
async function watchResealing({ out }: Call, api: Client, begun: KeyRings): Promise<KeyRings> {
  let rings = begun;
  let least = Number.POSITIVE_INFINITY;
  for (let standstill = 0; ; standstill++) {
    const left = leftToSeal(rings);
    if (left === 0) return rings;
    if (left < least) {
      out.note(`${counted(left, "secret")} left to seal anew`);
      least = left;
      standstill = 0;
    }
    if (standstill === STANDSTILL_LOOKS_MAX) {
      out.note("The service goes on by itself. See how far it is: securewave keys list");
      return rings;
    }
    await pause(LOOK_AGAIN_MS);
    rings = await api.keys.list();
  }
}

function leftToSeal({ encryption }: KeyRings): number {
  const waiting = encryption.filter(({ state }) => state === "arriving").length;
  const sealed = encryption.map((key) => (key.state === "opening" ? key.sealed : 0));
  return sealed.reduce((sum, count) => sum + count, waiting);
}

function summaryOf(what: keyof typeof QUESTIONS, rings: KeyRings, nowMs: number): string {
  if (what === "signing") {
    const atWork = rings.signing.find(({ state }) => state === "signing");
    const last = rings.signing.findLast(({ state }) => state === "verifying");
    const until = last?.retires_on
      ? `; tokens of the former one are taken until ${humanDay(last.retires_on, nowMs)}`
      : "";
    return `Key ${atWork?.kid} signs access tokens${until}.`;
  }
  const atWork = rings.encryption.find(({ state }) => state === "sealing");
  return `Key ${atWork?.number} seals what is secret. Former keys go when nothing needs them: securewave keys list`;
}

function rootAdvice(isPreviousSet: boolean): string {
  if (isPreviousSet) {
    return [
      "The ring of keys is sealed under the present MASTER_KEY. The change is complete when every process of the",
      "service has been restarted with it: then take MASTER_KEY_PREVIOUS away, and destroy the former key.",
      "Backups of before the change still need the former key; what it protected is sealed anew by",
      "  securewave keys rotate encryption",
    ].join("\n");
  }
  return [
    "MASTER_KEY seals the ring of keys; MASTER_KEY_PREVIOUS is not set. To change it:",
    "  1. Make a new key: openssl rand -base64 32",
    "  2. Set MASTER_KEY to it and MASTER_KEY_PREVIOUS to the present one, wherever these are set.",
    "  3. Restart each process of the service: the first seals the ring anew.",
    "  4. Take MASTER_KEY_PREVIOUS away.",
    "  5. Seal everything anew: securewave keys rotate encryption",
  ].join("\n");
}

const STATE_STYLES: Readonly<Record<SigningKey["state"] | EncryptionKey["state"], Style>> = {
  arriving: "cyan",
  signing: "green",
  sealing: "green",
  verifying: "dim",
  opening: "dim",
};

const dayText = (day: string | null, nowMs: number, otherwise: string) =>
  day === null ? otherwise : humanDay(day, nowMs);

function signingTable(out: Output, { signing }: KeyRings, nowMs: number): string {
  const columns: Column<SigningKey>[] = [
    { title: "SIGNING KEY", value: ({ kid }) => kid, style: () => "bold" },
    { title: "STATE", value: ({ state }) => state, style: ({ state }) => STATE_STYLES[state] },
    { title: "ALGORITHM", value: ({ algorithm }) => algorithm },
    { title: "CREATED", value: ({ created_on }) => dayText(created_on, nowMs, "configured") },
    { title: "TAKEN UNTIL", value: ({ retires_on }) => dayText(retires_on, nowMs, "") },
  ];
  return out.table(columns, signing);
}

function encryptionTable(out: Output, { encryption }: KeyRings, nowMs: number): string {
  const columns: Column<EncryptionKey>[] = [
    { title: "ENCRYPTION KEY", value: ({ number }) => String(number), style: () => "bold" },
    { title: "STATE", value: ({ state }) => state, style: ({ state }) => STATE_STYLES[state] },
    { title: "ALGORITHM", value: ({ algorithm }) => algorithm },
    { title: "CREATED", value: ({ created_on }) => dayText(created_on, nowMs, "MASTER_KEY") },
    { title: "SEALED", value: ({ sealed }) => String(sealed), align: "right" },
    { title: "PRESHARED KEYS", value: (key) => String(key.preshared_keys), align: "right" },
  ];
  return out.table(columns, encryption);
}
