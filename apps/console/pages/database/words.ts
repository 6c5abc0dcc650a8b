import type { api, DatabaseAdvice, DatabaseMigration, DatabaseRole, ResultOf } from "@securewave/contracts";
import type { Tone } from "../../components/state.tsx";
import { plural } from "../../format.ts";

export type DatabaseStatus = ResultOf<typeof api.database.status>;
type RightDifference = ResultOf<typeof api.database.roles>["differences"][number];

export const ABOUT_WORDS: Readonly<Record<DatabaseAdvice["about"], string>> = {
  durability: "Durability",
  recovery: "Recovery",
  speed: "Speed",
  safety: "Safety",
  privacy: "Privacy",
};

/** What is to be done, with commands between backticks; none where all is as advised. */
export function todoOf(status: DatabaseStatus): string[] {
  const { roles, roles_used, rights_differing, migrations_waiting, settings_unmet } = status;
  return [
    ...(roles_used < roles
      ? [
          "Not all work is done under a login of its own: `securewave database roles --sql` writes what makes them.",
        ]
      : []),
    ...(rights_differing > 0
      ? [
          `${plural(rights_differing, "right is", "rights are")} not as they are to be: a start puts them right, once no older release runs.`,
        ]
      : []),
    ...(migrations_waiting > 0
      ? [
          `${plural(migrations_waiting, "migration waits", "migrations wait")} until no older release runs; then start one replica with \`DATABASE_MIGRATIONS=all\`.`,
        ]
      : []),
    ...(settings_unmet > 0
      ? [`${plural(settings_unmet, "setting is", "settings are")} otherwise than advised.`]
      : []),
  ];
}

export function loginOf({ is_present, is_used }: DatabaseRole): { tone: Tone; word: string } {
  if (!is_present) return { tone: "warn", word: "Not on the server" };
  return is_used ? { tone: "good", word: "In use" } : { tone: "still", word: "Not in use" };
}

export function differenceText({ role, table, right, is_missing }: RightDifference): string {
  return `${role} ${is_missing ? "lacks" : "should not have"} ${right} on ${table}.`;
}

/** Those that wait first, then the newest. */
export function inOrderOfInterest(migrations: readonly DatabaseMigration[]): DatabaseMigration[] {
  return migrations.toSorted(
    (one, other) =>
      Number(other.applied_on === null) - Number(one.applied_on === null) || other.number - one.number,
  );
}
