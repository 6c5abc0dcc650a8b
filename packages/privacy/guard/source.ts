import type { Catalogue } from "../catalogue.ts";
import type { Group, Room } from "../entry.ts";
import type { Finding } from "../finding.ts";
import type { CallFacts, FileFacts } from "./source-facts.ts";

const MEND = "List it in packages/privacy/rooms, or leave it out.";
const PLANE_LOG = "apps/control-plane/logger.ts";
const AGENT_LOG = "apps/node-agent/log.ts";
const BUS = "apps/control-plane/bus.ts";
const NOTICES = "apps/control-plane/modules/accounts/notice-letters.ts";
const BINARY_FRAMES = "packages/contracts/node-frames.ts";
const ACTS = "apps/control-plane/modules/audit/act.ts";
const LOG_FILE = "apps/control-plane/log-file.ts";
/** Of every binary frame, whatever it tells. */
const OF_LAYOUT = new Set(["format", "slots"]);
/** Written by the log itself, in front of what a line is given. */
const OF_EVERY_LINE = new Set(["level", "time", "event"]);

/** What is found in code by its name: both what is not listed and what is listed and is nowhere. */
export function findInSource(files: readonly FileFacts[], catalogue: Catalogue): Finding[] {
  const findings = [
    ...findLogEvents(files, catalogue),
    ...findLogFields(files, catalogue),
    ...findJobs(files, catalogue),
    ...findTopics(files, catalogue),
    ...findRedisKinds(files, catalogue),
    ...findSpanAttributes(files, catalogue),
    ...findTimedKinds(files, catalogue),
    ...findBinaryMembers(files, catalogue),
    ...findNotices(files, catalogue),
    ...findShapes(files, catalogue),
  ];
  return [...new Map(findings.map((finding) => [Object.values(finding).join(" "), finding])).values()];
}

interface Named {
  readonly name: string;
  readonly place: string;
}

/** Compares names in the code with those listed. */
function compare(room: Room, found: readonly Named[], listed: Iterable<string>): Finding[] {
  const names = new Set(listed);
  const seen = new Set(found.map(({ name }) => name));
  const unlisted = found.filter(({ name }) => !names.has(name));
  return [
    ...unlisted.map(({ name, place }) => ({
      rule: `listed: ${room}`,
      place,
      problem: `has ${name}, which the catalogue does not list`,
      mend: MEND,
    })),
    ...[...names]
      .filter((name) => !seen.has(name))
      .map((name) => ({
        rule: "no stale entries",
        place: `${room} ${name}`,
        problem: "is listed and is nowhere in the code",
        mend: "Take it out of packages/privacy/rooms.",
      })),
  ];
}

function callsOf(files: readonly FileFacts[], isMeant: (call: CallFacts, path: string) => boolean) {
  return files.flatMap(({ path, calls }) =>
    calls
      .filter((call) => isMeant(call, path))
      .map((call) => ({ ...call, path, place: `${path}:${call.line}` })),
  );
}

/** The texts that calls are given first; a call whose text is not in the code is a finding of its own. */
function firstTexts(
  calls: readonly (CallFacts & { place: string })[],
  what: string,
): { found: Named[]; odd: Finding[] } {
  const odd = calls
    .filter(({ args }) => args[0]?.texts === undefined)
    .map(({ place, callee }) => ({
      rule: "names in the code",
      place,
      problem: `calls ${callee} with ${what} that is not written there`,
      mend: "Write it out, so that the catalogue can list it.",
    }));
  const found = calls.flatMap(({ args, place }) => (args[0]?.texts ?? []).map((name) => ({ name, place })));
  return { found, odd };
}

const LOGGER = /(^|\.)logger\.(debug|info|warn|error)$/;

function findLogEvents(files: readonly FileFacts[], catalogue: Catalogue): Finding[] {
  const calls = callsOf(files, ({ callee }) => LOGGER.test(callee));
  const { found, odd } = firstTexts(calls, "an event");
  // The log's file has a line of its own, for when it cannot be written.
  const own = files.some(({ path }) => path === LOG_FILE)
    ? [{ name: "log_file_failed", place: LOG_FILE }]
    : [];
  const agent = listIn(files, AGENT_LOG, "LogEvent");
  return [
    ...odd,
    ...compare(
      "log event",
      [...found, ...own].map(prefixed("control-plane")),
      namesOf(catalogue, "control-plane/"),
    ),
    ...compare("log event", agent.map(prefixed("node-agent")), namesOf(catalogue, "node-agent/")),
    ...findMembers(calls, catalogue.find("log", "control-plane")),
  ];
}

const prefixed =
  (program: string) =>
  ({ name, place }: Named): Named => ({ name: `${program}/${name}`, place });

function namesOf(catalogue: Catalogue, prefix: string): string[] {
  return catalogue
    .of("log event")
    .map(({ name }) => name)
    .filter((name) => name.startsWith(prefix));
}

/** What a line is given beside the fields of `describeError`. */
function findMembers(calls: readonly (CallFacts & { place: string })[], log: Group | undefined): Finding[] {
  return calls.flatMap(({ args, place }) =>
    (args[1]?.members ?? [])
      .filter((member) => log?.fields[member] === undefined)
      .map((member) => ({
        rule: "listed: log",
        place,
        problem: `logs ${member}, which the catalogue does not list`,
        mend: MEND,
      })),
  );
}

function findLogFields(files: readonly FileFacts[], catalogue: Catalogue): Finding[] {
  const logs = [
    { path: PLANE_LOG, log: catalogue.find("log", "control-plane") },
    { path: AGENT_LOG, log: catalogue.find("log", "node-agent") },
  ];
  return logs.flatMap(({ path, log }) => {
    const members = typeIn(files, path, "LogFields");
    if (members === undefined) return [gone(path, "LogFields")];
    const listed = Object.keys(log?.fields ?? {}).filter((name) => !OF_EVERY_LINE.has(name));
    return compare(
      "log",
      members.map((name) => ({ name, place: path })),
      listed,
    );
  });
}

function gone(path: string, name: string): Finding {
  return {
    rule: "names in the code",
    place: path,
    problem: `has no ${name}, by which the guard knows what it holds`,
    mend: "Tell packages/privacy/guard/source.ts where it went.",
  };
}

function findJobs(files: readonly FileFacts[], catalogue: Catalogue): Finding[] {
  const defined = callsOf(files, ({ callee }) => /(^|\.)jobs\.define$/.test(callee));
  const sent = callsOf(files, ({ callee }) => /(^|\.)jobs\.send$/.test(callee));
  const { found, odd } = firstTexts(defined, "a job");
  const data = [
    ...defined.map((call) => ({ ...call, names: call.typeMembers ?? [] })),
    ...sent.map((call) => ({ ...call, names: call.args[1]?.members ?? [] })),
  ];
  const unlisted = data.flatMap(({ args, names, place }) =>
    (args[0]?.texts ?? []).flatMap((job) =>
      names
        .filter((name) => catalogue.find("job", job)?.fields[name] === undefined)
        .map((name) => ({
          rule: "listed: job",
          place,
          problem: `puts ${name} into the queue with ${job}, which the catalogue does not list`,
          mend: MEND,
        })),
    ),
  );
  return [
    ...odd,
    ...compare(
      "job",
      found,
      catalogue.of("job").map(({ name }) => name),
    ),
    ...unlisted,
  ];
}

function findTopics(files: readonly FileFacts[], catalogue: Catalogue): Finding[] {
  const members = typeIn(files, BUS, "Messages");
  if (members === undefined) return [gone(BUS, "Messages")];
  const topics = members.map((name) => ({ name, place: BUS }));
  return compare(
    "bus",
    topics,
    catalogue.of("bus").map(({ name }) => name),
  );
}

/** How code names a key or a channel of the shared store. */
const STORE_NAME = /(^|\.)(store|shared|sharedStore)\.nameOf$/;
const SHARED_STORE = "packages/sentinel/redis/";

function findRedisKinds(files: readonly FileFacts[], catalogue: Catalogue): Finding[] {
  const calls = callsOf(
    files,
    ({ callee }, path) => STORE_NAME.test(callee) || (path.startsWith(SHARED_STORE) && callee === "nameOf"),
  );
  const { found, odd } = firstTexts(calls, "a kind");
  return [
    ...odd,
    ...compare(
      "redis",
      found,
      catalogue.of("redis").map(({ name }) => name),
    ),
  ];
}

function findSpanAttributes(files: readonly FileFacts[], catalogue: Catalogue): Finding[] {
  const calls = callsOf(files, ({ callee }) => /(^|\.)setAttribute$/.test(callee));
  const { found, odd } = firstTexts(calls, "an attribute");
  const fields = catalogue.find("trace", "span")?.fields ?? {};
  return [...odd, ...compare("trace", found, []).filter(({ rule }) => rule !== "no stale entries")].filter(
    ({ problem }) => !Object.keys(fields).some((name) => problem.includes(` ${name},`)),
  );
}

/** Acts that stand in the trail by the second are staff's, and staff's alone. */
function findTimedKinds(files: readonly FileFacts[], catalogue: Catalogue): Finding[] {
  const timed = listIn(files, ACTS, "TIMED_KINDS");
  if (timed.length === 0) return [gone(ACTS, "TIMED_KINDS")];
  return timed
    .filter(({ name }) => catalogue.find("audit", name)?.whose === "customer")
    .map(({ name, place }) => ({
      rule: "no time finer than a day",
      place,
      problem: `writes ${name} by the second, which the catalogue lists as a customer's`,
      mend: "Take it out of TIMED_KINDS.",
    }));
}

/** What memory holds has the members of the types that it is held in. */
function findShapes(files: readonly FileFacts[], catalogue: Catalogue): Finding[] {
  return catalogue.of("memory").flatMap(({ shape, fields }) => {
    if (shape === undefined) return [];
    const [path = "", type = ""] = shape.split("#");
    const members = typeIn(files, path, type);
    if (members === undefined) return [gone(path, type)];
    return compare(
      "memory",
      members.map((name) => ({ name, place: path })),
      Object.keys(fields),
    );
  });
}

/** What owners are told of by mail stands in the queue by its word. */
function findNotices(files: readonly FileFacts[], catalogue: Catalogue): Finding[] {
  const notices = listIn(files, NOTICES, "NOTICES");
  if (notices.length === 0) return [gone(NOTICES, "NOTICES")];
  return compare("job", notices, catalogue.find("job", "security-notice-mail")?.fields.notice?.values ?? []);
}

/** Binary frames have no schema; the types that they are read into have the same members. */
function findBinaryMembers(files: readonly FileFacts[], catalogue: Catalogue): Finding[] {
  const totals = typeIn(files, BINARY_FRAMES, "Totals");
  if (totals === undefined) return [gone(BINARY_FRAMES, "Totals")];
  const frames = [
    ["ReportFrame", "[report]"],
    ["BatchFrame", "[batch]"],
  ] as const;
  return frames.flatMap(([type, name]) => {
    const members = [...totals, ...(typeIn(files, BINARY_FRAMES, type) ?? [])];
    const listed = Object.keys(catalogue.find("node protocol", name)?.fields ?? {});
    const found = members.map((member) => ({ name: member, place: BINARY_FRAMES }));
    return compare(
      "node protocol",
      found,
      listed.filter((field) => !OF_LAYOUT.has(field)),
    );
  });
}

function typeIn(files: readonly FileFacts[], path: string, name: string): readonly string[] | undefined {
  return files.find((file) => file.path === path)?.types.get(name);
}

function listIn(files: readonly FileFacts[], path: string, name: string): Named[] {
  const words = files.find((file) => file.path === path)?.lists.get(name) ?? [];
  return words.map((word) => ({ name: word, place: path }));
}
