import type { Refusal } from "@securewave/foundation";
import { accountErrors } from "./accounts.ts";
import { alertErrors } from "./alerts.ts";
import { apiKeyErrors } from "./api-keys.ts";
import { auditErrors } from "./audit.ts";
import { backupErrors } from "./backups.ts";
import { blockErrors } from "./blocks.ts";
import { breachErrors } from "./breaches.ts";
import { deviceErrors } from "./devices.ts";
import { drillErrors } from "./drills.ts";
import { jobErrors } from "./jobs.ts";
import { keyErrors } from "./keys.ts";
import { nodeErrors, serverErrors } from "./nodes.ts";
import { planErrors } from "./plans.ts";
import { privacyErrors } from "./privacy.ts";
import { requestErrors } from "./requests.ts";
import { passkeyErrors, secondFactorErrors } from "./second-factor.ts";
import { sentinelErrors } from "./sentinel.ts";
import { serviceErrors } from "./service.ts";
import { sessionErrors } from "./sessions.ts";
import { statusErrors } from "./status.ts";
import { zeroLogErrors } from "./zero-log.ts";

/** Every refusal that the HTTP API can answer with, sorted by code. */
export const refusals: readonly Refusal[] = [
  requestErrors,
  sentinelErrors,
  serviceErrors,
  accountErrors,
  sessionErrors,
  secondFactorErrors,
  passkeyErrors,
  apiKeyErrors,
  blockErrors,
  auditErrors,
  keyErrors,
  nodeErrors,
  serverErrors,
  deviceErrors,
  planErrors,
  privacyErrors,
  zeroLogErrors,
  jobErrors,
  alertErrors,
  statusErrors,
  breachErrors,
  drillErrors,
  backupErrors,
]
  .flatMap((errors): Refusal[] => Object.values(errors))
  .sort((a, b) => (a.code < b.code ? -1 : 1));
