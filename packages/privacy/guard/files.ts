import type { Finding } from "../finding.ts";
import type { KnownFile } from "../rooms/files.ts";

/** Finds files below a folder that no entry knows. */
export function findInFiles(
  below: KnownFile["below"],
  paths: readonly string[],
  known: readonly KnownFile[],
): Finding[] {
  const here = known.filter((file) => file.below === below);
  return paths
    .filter((path) => !here.some((file) => file.path.test(path)))
    .map((place) => ({
      rule: "listed: file",
      place,
      problem: `is a file below the ${below} that the catalogue does not list`,
      mend: "List it in packages/privacy/rooms/files.ts, or do not write it.",
    }));
}
