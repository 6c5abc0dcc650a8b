/** Part of `npm run check`: no migration holds up the running service or breaks replicas of the release before. */
import { MIGRATIONS_DIR, readMigrations } from "@securewave/database/migration-files";
import { examineMigrations } from "@securewave/database/migration-rules";

const findings = examineMigrations(await readMigrations(MIGRATIONS_DIR));
for (const { fileName, line, text } of findings) {
  console.log(`packages/database/migrations/${fileName}:${line}: ${text}.`);
}
if (findings.length > 0) process.exitCode = 1;
