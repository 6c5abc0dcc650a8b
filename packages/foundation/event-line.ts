/**
 * Reads a line of JSON by which a program of ours tells an event. Both ends are of one version, so that the kind tells
 * what else there is.
 *
 * @returns undefined for what is none
 */
export function parseEventLine<Event extends { readonly kind: string }>(
  line: string,
  kinds: readonly Event["kind"][],
): Event | undefined {
  const isEvent = (value: unknown): value is Event =>
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    kinds.some((kind) => kind === value.kind);
  try {
    const value: unknown = JSON.parse(line);
    return isEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
