import type { AgentArchive } from "@securewave/contracts/agent-release";

/**
 * The script that installs the agent, with what it is for filled in.
 *
 * @param archive without one, the script says that there is none and what to do
 */
export function installerOf(template: string, origin: string, archive: AgentArchive | undefined): string {
  const values: Readonly<Record<string, string>> = {
    CONTROL_PLANE: origin,
    VERSION: archive?.version ?? "",
    PLATFORM: archive?.platform ?? "",
    SHA256: archive?.sha256 ?? "",
  };
  return template.replace(/@([A-Z0-9_]+)@/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : quote(value);
  });
}

/** One word of a shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
