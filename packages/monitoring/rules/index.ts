import type { AlertRule } from "../rule.ts";
import { attackRules } from "./attacks.ts";
import { machineRules } from "./machine.ts";
import { nodeRules } from "./nodes.ts";
import { requestRules } from "./requests.ts";
import { storeRules } from "./stores.ts";
import { workRules } from "./work.ts";

/** Every alert that there is. Prometheus gets them all; the service itself watches those that it can judge. */
export const alertRules: readonly AlertRule[] = [
  ...storeRules,
  ...requestRules,
  ...attackRules,
  ...nodeRules,
  ...workRules,
  ...machineRules,
];
