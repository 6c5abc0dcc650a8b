import manifest from "./package.json" with { type: "json" };

export const AGENT_VERSION: string = manifest.version;

/**
 * Whether a version comes after another: `0.10.0` after `0.9.1`, `1.0.0` after `1.0.0-beta.2`. What is no version comes
 * after none. @see https://semver.org/#spec-item-11
 */
export function isNewer(version: string, than: string): boolean {
  const [one, other] = [partsOf(version), partsOf(than)];
  if (one === undefined || other === undefined) return false;
  const at = one.numbers.findIndex((number, index) => number !== other.numbers[index]);
  if (at >= 0) return (one.numbers[at] ?? 0) > (other.numbers[at] ?? 0);
  if (one.early === "" || other.early === "") return one.early === "" && other.early !== "";
  return one.early.localeCompare(other.early, "en", { numeric: true }) > 0;
}

function partsOf(version: string) {
  const [, numbers, early = ""] = /^(\d+\.\d+\.\d+)(?:-([0-9A-Za-z.]+))?$/.exec(version) ?? [];
  return numbers === undefined ? undefined : { numbers: numbers.split(".").map(Number), early };
}
