export { createAgentFiles } from "./agent-files.ts";
export { addInstallFiles } from "./routes.ts";
