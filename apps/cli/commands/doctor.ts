import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Call, Perform } from "../call.ts";
import { credentialsPath } from "../credentials.ts";
import { type Check, fail } from "../doctor/check.ts";
import { checkPorts, checkTime } from "../doctor/network.ts";
import { renderReport } from "../doctor/report.ts";
import { checkCredentialsFile, checkService } from "../doctor/service.ts";
import { readServiceSettings } from "../doctor/settings.ts";
import { checkSoftware } from "../doctor/software.ts";
import { checkStore } from "../doctor/store.ts";
import { checkTunnel } from "../doctor/tunnel.ts";
import { CliError, describeFailure, EXIT } from "../failure.ts";

export function addDoctorCommand(program: CommandUnknownOpts, perform: Perform): void {
  program
    .command("doctor")
    .description("check machine and settings and say how to mend them; exit code 1 when a check fails")
    .addHelpText(
      "after",
      `
Works without a log-in and without a running service.

Examples:
  $ securewave doctor
  $ sudo npx securewave doctor --json`,
    )
    .action(() =>
      perform(async (call) => {
        const checks = await runChecks(call);
        const failed = checks.filter((check) => check.verdict === "fail").length;
        call.out.result({ ok: failed === 0, checks }, () => renderReport(call.out, checks));
        return failed === 0 ? undefined : EXIT.failed;
      }),
    );
}

async function runChecks({ connect, environment, nowMs }: Call): Promise<Check[]> {
  const { env, homeDir, machine } = environment;
  const settings = await readServiceSettings(machine, env);
  const checks = [
    ...(await checkSoftware(machine)),
    ...(await checkTunnel(machine)),
    ...(await checkStore(machine, settings)),
    ...(await checkPorts(machine, settings)),
    await checkCredentialsFile(machine, credentialsPath(env, homeDir)),
  ];
  try {
    const connection = await connect();
    return [...checks, await checkTime(machine, nowMs, connection.url), ...(await checkService(connection))];
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.usage) throw error;
    const { shown } = describeFailure(error);
    return [...checks, fail("Log-in", shown.message, shown.next ?? "securewave login")];
  }
}
