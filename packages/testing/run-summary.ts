import { stripVTControlCharacters } from "node:util";
import type { TestCase, TestModule, TestSuite } from "vitest/node";
import { readReason } from "./requirements.ts";

const WHY_LINES_MAX = 12;

export interface Skip {
  /** The test's full name; of a suite that cannot run, the suite's. */
  name: string;
  reason: string;
  tests: number;
}

export interface RunSummary {
  passed: number;
  /** Failed tests, and files and suites that broke outside of a test. */
  failed: number;
  skipped: number;
  /** What was skipped, tests with one suite and one reason taken together. */
  skips: Skip[];
}

/**
 * Counts a finished run.
 *
 * @param namePattern tests that the caller's `-t` left out count as not asked for, and appear nowhere
 */
export function summarise(modules: readonly TestModule[], namePattern?: RegExp): RunSummary {
  const summary: RunSummary = { passed: 0, failed: 0, skipped: 0, skips: [] };
  for (const module of modules) {
    summary.failed += failuresOf(module).length;
    for (const test of module.children.allTests()) count(test, summary, namePattern);
  }
  return summary;
}

export interface Failure {
  readonly name: string;
  /** What its first error says, with what differs from what was expected; without colours. */
  readonly why: string;
}

/** What failed in a file: the file and its suites, where they broke outside of a test, and its tests. */
export function failuresOf(module: TestModule): Failure[] {
  const file = module.relativeModuleId;
  const own = { name: file, errors: module.errors() };
  const suites = [...module.children.allSuites()].map((suite) => ({
    name: `${file} > ${suite.fullName}`,
    errors: suite.errors(),
  }));
  const tests = [...module.children.allTests("failed")].map((test) => ({
    name: `${file} > ${test.fullName}`,
    errors: test.result().errors,
  }));
  const broken = [own, ...suites].filter(({ errors }) => errors.length > 0);
  return [...broken, ...tests].map(({ name, errors }) => ({ name, why: whyOf(errors) }));
}

function whyOf([error]: readonly { message: string; diff?: string }[] = []): string {
  const differing = linesOf(error?.diff ?? "").filter((line) => /^[+-] (?!Expected$|Received$)/.test(line));
  return [...linesOf(error?.message ?? ""), ...differing].slice(0, WHY_LINES_MAX).join("\n");
}

const linesOf = (text: string) => stripVTControlCharacters(text).split("\n");

/** Whether random inputs that break a promise were found in a file: others would be tried in another run. */
export function hasCounterexample({ children }: TestModule): boolean {
  const errors = [...children.allTests("failed")].flatMap((test) => test.result().errors ?? []);
  return errors.some(({ message }) => message.startsWith("Property failed after"));
}

function count(test: TestCase, summary: RunSummary, namePattern: RegExp | undefined): void {
  const result = test.result();
  if (result.state === "passed") summary.passed++;
  else if (result.state !== "failed") {
    if (namePattern !== undefined && !namePattern.test(test.fullName.replaceAll(" > ", " "))) return;
    summary.skipped++;
    const skip = describeSkip(test, result.state === "skipped" ? result.note : undefined);
    const known = summary.skips.find(({ name, reason }) => name === skip.name && reason === skip.reason);
    if (known === undefined) summary.skips.push(skip);
    else known.tests++;
  }
}

/** A reason comes from `requirements().title` of the test or a suite around it, or from `context.skip(reason)`. */
function describeSkip(test: TestCase, note: string | undefined): Skip {
  const file = test.module.relativeModuleId;
  for (let at: TestCase | TestSuite | TestModule = test; at.type !== "module"; at = at.parent) {
    const { name, reason } = readReason(at.name);
    if (reason !== undefined) return { name: `${file} > ${name}`, reason, tests: 1 };
  }
  if (hasBrokenParent(test)) return { name: file, reason: "what it stands on failed, see above", tests: 1 };
  return { name: `${file} > ${test.fullName}`, reason: note ?? "no reason given", tests: 1 };
}

function hasBrokenParent(test: TestCase): boolean {
  for (let at: TestSuite | TestModule = test.parent; ; at = at.parent) {
    if (at.errors().length > 0) return true;
    if (at.type === "module") return false;
  }
}

/** The list of what did not run, for the terminal; empty when all ran. */
export function formatSkips(skips: readonly Skip[]): string {
  if (skips.length === 0) return "";
  const lines = skips.map(({ name, reason, tests }) => {
    return `  ${name}${tests > 1 ? ` (${tests} tests)` : ""}\n    ${reason}`;
  });
  return `Skipped:\n${lines.join("\n")}\n`;
}
