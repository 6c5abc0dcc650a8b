import { examineLogging } from "@securewave/database";
import type { CheckedSetting } from "@securewave/ghosts";
import type { AuditorNode } from "@securewave/ghosts/auditor-protocol";
import { catalogue, findInSchema, readSchema } from "@securewave/privacy";
import { examineOnce } from "@securewave/sentinel/redis";
import type pg from "pg";
import { run } from "./run-program.ts";

/** Whether every table and column is listed, and none can hold more than is said of it. */
export async function checkSchema(pool: Pick<pg.Pool, "query">): Promise<CheckedSetting[]> {
  const facts = await readSchema(async (statement) => (await pool.query(statement)).rows);
  const findings = findInSchema(facts, catalogue);
  if (findings.length === 0)
    return [
      { name: "every table and column is listed, and holds no more than that", value: "yes", isRight: true },
    ];
  return findings.map(({ place, problem }) => ({ name: `schema: ${place}`, value: problem, isRight: false }));
}

/** What PostgreSQL would log of the service's own sessions. */
export async function checkLogging(pool: Pick<pg.Pool, "query">): Promise<CheckedSetting[]> {
  const findings = await examineLogging(pool);
  if (findings.every(({ weight }) => weight === "minor"))
    return [{ name: "PostgreSQL logs no values", value: "yes", isRight: true }];
  return findings.map(({ about, weight, text }) => ({
    name: `PostgreSQL: ${about}`,
    value: withoutName(text, about),
    isRight: weight === "minor",
  }));
}

/** Findings are sentences: `save is "3600 1": it writes …`. */
function withoutName(text: string, about: string): string {
  return text.replace(`${about} is `, "");
}

export async function checkRedis(url: string): Promise<CheckedSetting[]> {
  const findings = await examineOnce(url, { waitMs: 5000 });
  if (findings === undefined) return [{ name: "Redis answers", value: "no", isRight: false }];
  return findings.map(({ about, weight, text }) => ({
    name: `Redis: ${about}`,
    value: withoutName(text, about),
    isRight: weight === "minor",
  }));
}

/** What the node's own check says of this machine: kernel settings, rules, logs, swap. */
export async function checkNode({ agent, interfaceName }: AuditorNode): Promise<CheckedSetting[]> {
  const { entry, stateDir, accepted } = agent;
  const folders = ["--state-dir", stateDir, "--interface", interfaceName, "--accept", accepted];
  const { stdout } = await run(process.execPath, [entry, "harden", "--check", "--json", ...folders]);
  const { demands } = JSON.parse(stdout);
  if (!Array.isArray(demands)) throw new Error("the node's check says nothing");
  return demands.map((demand) => {
    const { id, state, why, essential } = demand;
    const isMet = state === "met" || state === "accepted";
    const value = isMet ? String(state) : `${state}: ${why}`;
    return { name: `node: ${id}`, value, isRight: isMet || essential !== true };
  });
}
