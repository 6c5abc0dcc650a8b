import type { Catalogue } from "../catalogue.ts";
import type { Finding } from "../finding.ts";

/** Holds log lines, one JSON object each, against the catalogue: their events, and their fields. */
export function findInLogLines(
  program: "control-plane" | "node-agent",
  lines: readonly string[],
  catalogue: Catalogue,
): Finding[] {
  const fields = catalogue.find("log", program)?.fields ?? {};
  const findings = lines.flatMap((text): Finding[] => {
    const line: unknown = JSON.parse(text);
    if (typeof line !== "object" || line === null) return [];
    const event = "event" in line ? String(line.event) : "";
    const mend = "List it in packages/privacy/rooms/logs.ts, or do not log it.";
    const unlisted = Object.keys(line).filter((name) => !Object.hasOwn(fields, name));
    return [
      ...unlisted.map((name) => ({
        rule: "listed: log",
        place: name,
        problem: "is a field that the catalogue does not list",
        mend,
      })),
      ...(catalogue.find("log event", `${program}/${event}`)
        ? []
        : [
            {
              rule: "listed: log event",
              place: event,
              problem: "is an event that the catalogue does not list",
              mend,
            },
          ]),
    ];
  });
  return [...new Map(findings.map((finding) => [`${finding.rule} ${finding.place}`, finding])).values()];
}
