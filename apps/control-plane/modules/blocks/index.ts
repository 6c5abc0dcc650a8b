export { mountBlocks } from "./routes.ts";
