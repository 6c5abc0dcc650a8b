import type { Scenario } from "@securewave/contracts";
import type { RunScenario } from "../drill.ts";
import { backupVerify } from "./backup-verify.ts";
import { breach } from "./breach.ts";
import { databaseCorruption } from "./database-corruption.ts";
import { failover } from "./failover.ts";
import { nodeLoss } from "./node-loss.ts";
import { redisLoss } from "./redis-loss.ts";
import { regionOutage } from "./region-outage.ts";

export const RUNS: Readonly<Record<Scenario, RunScenario>> = {
  "database-corruption": databaseCorruption,
  "region-outage": regionOutage,
  breach,
  "node-loss": nodeLoss,
  "redis-loss": redisLoss,
  "backup-verify": backupVerify,
  failover,
};
