import { Command, CommanderError, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { createCall, type Perform } from "./call.ts";
import { addAlertCommands } from "./commands/alerts.ts";
import { addApiKeyCommands } from "./commands/api-keys.ts";
import { addAuditCommands } from "./commands/audit.ts";
import { addBackupCommands } from "./commands/backup.ts";
import { addBlockCommands } from "./commands/blocks.ts";
import { addBreachCommands } from "./commands/breach.ts";
import { addChecklistCommand } from "./commands/checklist.ts";
import { addCompletionCommand } from "./commands/completion.ts";
import { addDatabaseCommands } from "./commands/database.ts";
import { addDeviceCommands } from "./commands/devices.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addDrillCommands } from "./commands/drills.ts";
import { addFleetCommand } from "./commands/fleet.ts";
import { addHealthCommand } from "./commands/health.ts";
import { addJobCommands } from "./commands/jobs.ts";
import { addKeyCommands } from "./commands/keys.ts";
import { addLoginCommands } from "./commands/login.ts";
import { addMaintenanceCommands } from "./commands/maintenance.ts";
import { addNamesCommand } from "./commands/names.ts";
import { addNodeCommands } from "./commands/nodes.ts";
import { addPlanCommands } from "./commands/plans.ts";
import { addPrivacyCommands } from "./commands/privacy.ts";
import { addServerCommands } from "./commands/servers.ts";
import { addSessionCommands } from "./commands/sessions.ts";
import { addSettingsCommands } from "./commands/settings.ts";
import { addSlaCommand } from "./commands/sla.ts";
import { addStatusCommand } from "./commands/status.ts";
import { addStatusPageCommands } from "./commands/status-page.ts";
import { addUsageCommand } from "./commands/usage.ts";
import { addUserCommands } from "./commands/users.ts";
import type { Environment } from "./environment.ts";
import { EXIT, type ExitCode, situated, usageError } from "./failure.ts";
import { createOutput, type Output } from "./output.ts";

/** Columns of help that goes into a file. */
const HELP_WIDTH = 100;

/** Builds the tree of commands; each passes what it does to `perform`. */
export function buildProgram(perform: Perform) {
  const program = new Command("securewave")
    .description("Runs a SecureWave service from the command line.")
    .option("--url <url>", "address of the service (or SECUREWAVE_URL, or the one logged in to last)")
    .option("--json", "write one JSON value, and errors as JSON to stderr")
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      "after",
      `
Examples:
  $ securewave login --email admin@example.org
  $ securewave status
  $ securewave devices add Phone
  $ securewave nodes list --json

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 service not reachable.`,
    );
  addLoginCommands(program, perform);
  addSessionCommands(program, perform);
  addApiKeyCommands(program, perform);
  addStatusCommand(program, perform);
  addHealthCommand(program, perform);
  addAlertCommands(program, perform);
  addDatabaseCommands(program, perform);
  addDoctorCommand(program, perform);
  addFleetCommand(program, perform);
  addNodeCommands(program, perform);
  addServerCommands(program, perform);
  addDeviceCommands(program, perform);
  addUserCommands(program, perform);
  addPlanCommands(program, perform);
  addUsageCommand(program, perform);
  addBlockCommands(program, perform);
  addBackupCommands(program, perform);
  addSettingsCommands(program, perform);
  addPrivacyCommands(program, perform);
  addKeyCommands(program, perform);
  addJobCommands(program, perform);
  addAuditCommands(program, perform);
  addBreachCommands(program, perform);
  addDrillCommands(program, perform);
  addChecklistCommand(program, perform);
  addSlaCommand(program, perform);
  addStatusPageCommands(program, perform);
  addMaintenanceCommands(program, perform);
  addNamesCommand(program, perform);
  addCompletionCommand(program, perform);
  return program;
}

/** Runs one command, arguments without the program's name, and says how the process is to end. */
export async function run(args: readonly string[], environment: Environment): Promise<ExitCode> {
  const { stdout, stderr, env } = environment;
  let exitCode: ExitCode = EXIT.done;
  const outputFor = (json: boolean) => createOutput({ stdout, stderr, env, json });
  const program = buildProgram(async (act) => {
    const { url, json = false } = program.opts();
    const out = outputFor(json);
    try {
      exitCode = (await act(createCall(environment, out, url))) ?? EXIT.done;
    } catch (error) {
      exitCode = out.failure(situated(error, environment.clock.now(), env));
    }
  });
  const isJson = args.includes("--json");
  prepare(program, environment, isJson);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    return endOfParsing(error, outputFor(isJson));
  }
  return exitCode;
}

/** Lets wrong usage come back as an error, and help go to the given streams, for the whole tree. */
function prepare(
  command: CommandUnknownOpts,
  streams: Pick<Environment, "stdout" | "stderr">,
  json: boolean,
): void {
  const { stdout, stderr } = streams;
  command.exitOverride();
  command.helpCommand(false);
  command.helpOption("-h, --help", "show help");
  command.configureOutput({
    writeOut: (text) => stdout.write(text),
    // Help that is shown for want of a command; errors are written by `endOfParsing`.
    writeErr: (text) => (json ? undefined : stderr.write(text)),
    outputError: () => undefined,
    getOutHelpWidth: () => stdout.columns || HELP_WIDTH,
    getErrHelpWidth: () => stderr.columns || HELP_WIDTH,
  });
  for (const child of command.commands) prepare(child, streams, json);
}

const SEE_HELP = "The same with --help shows what is taken.";

function endOfParsing(error: unknown, out: Output): ExitCode {
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return EXIT.done;
  if (error.code !== "commander.help") {
    const message = error.message.replace(/^error: /, "").replace(/\s+/g, " ");
    return out.failure(usageError(message.charAt(0).toUpperCase() + message.slice(1), SEE_HELP));
  }
  // People have been shown the help of the group.
  return out.json ? out.failure(usageError("A command is missing.", SEE_HELP)) : EXIT.usage;
}
