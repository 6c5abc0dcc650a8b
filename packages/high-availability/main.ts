/** `node packages/high-availability/main.ts render <folder> [plan.json]` and `… check <url of a Patroni>`. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { judgeCluster, readPatroni } from "./check.ts";
import { type ClusterPlan, examplePlan, mistakesIn } from "./plan.ts";
import { renderCluster } from "./render.ts";

const USE = `Use:
  node packages/high-availability/main.ts render <folder> [plan.json]   writes all configuration files of a plan
  node packages/high-availability/main.ts check <url>                   judges a running cluster, such as http://192.0.2.11:8008
`;

const [act, first, second] = process.argv.slice(2);
if (act === "render" && first !== undefined) render(first, second);
else if (act === "check" && first !== undefined) await check(first);
else stop(USE);

function render(folder: string, planPath: string | undefined): void {
  const plan = planPath === undefined ? examplePlan() : readPlan(planPath);
  if (plan === undefined) return;
  for (const [path, text] of renderCluster(plan)) {
    const place = join(folder, path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text, { mode: 0o640 });
    process.stdout.write(`${place}\n`);
  }
}

/** @returns undefined where it is none, or a bad one, which was said */
function readPlan(path: string): ClusterPlan | undefined {
  try {
    const plan = JSON.parse(readFileSync(path, "utf8")) as ClusterPlan;
    const mistakes = mistakesIn(plan);
    if (mistakes.length === 0) return plan;
    stop(`The plan cannot keep its promise:\n  ${mistakes.join("\n  ")}\n`);
  } catch (error) {
    const why = error instanceof TypeError ? "parts are missing" : String(error);
    stop(`${path} is no plan: ${why}. The example is in packages/high-availability/plan.ts.\n`);
  }
  return undefined;
}

async function check(url: string): Promise<void> {
  const reading = await readPatroni(url).catch(() => undefined);
  if (reading === undefined) {
    stop("Patroni does not answer there. Is it port 8008 of a member?\n");
    return;
  }
  const found = judgeCluster(reading);
  for (const { weight, text } of found) process.stdout.write(`${weight}: ${text}\n`);
  if (found.length === 0) process.stdout.write("Nothing that was acknowledged can be lost here.\n");
  if (found.some(({ weight }) => weight !== "advice")) process.exitCode = 1;
}

function stop(text: string): void {
  process.stderr.write(text);
  process.exitCode = 2;
}
