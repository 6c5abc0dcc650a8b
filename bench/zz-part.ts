import { tableOf } from "./figure.ts";
import { measureBigNode } from "./fleet-big-node.ts";
import { measureOverlap } from "./fleet-overlap.ts";
const figures: any[] = [];
const run: any = { isQuick: process.argv.includes("--quick"), progress: (t: string) => console.error(t), report: (...f: any[]) => figures.push(...f), leaveOut: (w: string) => console.error("left out", w) };
try {
if (process.argv.includes("big")) await measureBigNode(run);
if (process.argv.includes("overlap")) await measureOverlap(run);
} catch (e) { console.error(e); }
console.log(tableOf(figures, []));
process.exit();
