import type { Catalogue } from "../catalogue.ts";
import type { Finding } from "../finding.ts";

/** A row of the queue. */
export interface QueuedJob {
  readonly name: string;
  readonly data: unknown;
  readonly output: unknown;
}

/** Holds what stands in the queue against the catalogue. */
export function findInQueue(rows: readonly QueuedJob[], catalogue: Catalogue): Finding[] {
  const mend = "List it in packages/privacy/rooms/jobs.ts, or do not queue it.";
  const findings = rows.flatMap(({ name, data, output }): Finding[] => {
    if (name.startsWith("__pgboss__")) return []; // its own clock
    const group = catalogue.find("job", name);
    if (group === undefined)
      return [
        { rule: "listed: job", place: name, problem: "is a job that the catalogue does not list", mend },
      ];
    const said = JSON.stringify(output ?? null);
    return [
      ...Object.keys(typeof data === "object" && data !== null ? data : {})
        .filter((member) => group.fields[member] === undefined)
        .map((member) => ({
          rule: "listed: job",
          place: `${name}.${member}`,
          problem: "is in the queue and is not listed",
          mend,
        })),
      ...(/^(null|\{"value":null\}|\[\]|\{\})$/.test(said) || /^\{[^{]*"message":"failed"/.test(said)
        ? []
        : [
            {
              rule: "listed: job",
              place: `${name} output`,
              problem: "says more than that it failed",
              mend: "Throw nothing that quotes.",
            },
          ]),
    ];
  });
  return [...new Map(findings.map((finding) => [`${finding.rule} ${finding.place}`, finding])).values()];
}
