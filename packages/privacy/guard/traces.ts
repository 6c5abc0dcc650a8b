import type { Catalogue } from "../catalogue.ts";
import type { Finding } from "../finding.ts";

/** A span as it leaves the process: what it carries, each with its value as text. */
export type SpanFacts = ReadonlyMap<string, string>;

/** Holds attributes of spans, and of what sends them, against the catalogue. */
export function findInSpans(spans: readonly SpanFacts[], catalogue: Catalogue): Finding[] {
  const fields = catalogue.find("trace", "span")?.fields ?? {};
  const findings = spans.flatMap((span) =>
    [...span].flatMap(([name, value]): Finding[] => {
      const field = fields[name];
      const place = `span.${name}`;
      const mend = "List it in packages/privacy/rooms/traces.ts, or leave it out in tracing/allowed-span.ts.";
      if (field === undefined)
        return [
          { rule: "listed: trace", place, problem: "is an attribute that the catalogue does not list", mend },
        ];
      if (field.precision === "word" && field.values?.length && !field.values.includes(value))
        return [{ rule: "closed lists", place, problem: "has a value that is on no list", mend }];
      return [];
    }),
  );
  return [...new Map(findings.map((finding) => [`${finding.rule} ${finding.place}`, finding])).values()];
}
