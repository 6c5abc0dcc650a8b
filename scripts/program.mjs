/** How the control plane is run, for `npm start` and for the benchmarks that measure it. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const CONTROL_PLANE = {
  /** Made of apps/control-plane/main.ts by build.ts; below the root. */
  entry: "apps/control-plane/main.bundle.js",
  // A small young generation and one pool of memory for all threads: docs/decisions/0002 has the figures.
  flags: ["--max-semi-space-size=2"],
  env: {
    MALLOC_ARENA_MAX: "1",
    // Beside the code, not in the shared temporary folder, where others could put code into it.
    NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "securewave"),
  },
};
