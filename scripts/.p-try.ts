import { build } from "rolldown";
import { makeAgentArchive } from "./agent-archive.ts";
const t=process.cpuUsage();
await build({ input: "/tmp/i5/apps/node-agent/main.ts", platform: "node", output: { file: "/tmp/i5/apps/node-agent/main.bundle.js", format: "esm", minify: true, codeSplitting: false }, logLevel: "warn" });
const a=process.cpuUsage(t); console.log("bundle", a);
await makeAgentArchive({bundlePath:"/tmp/i5/apps/node-agent/main.bundle.js", version:"0.1.0", outputDir:"/tmp/i5/apps/node-agent/dist", cacheDir:"/tmp/i5/.cache"});
console.log("all", process.cpuUsage(t));
