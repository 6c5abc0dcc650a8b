import type { Refusal } from "@securewave/foundation";
import { accountErrors } from "./accounts.ts";
import { deviceErrors } from "./devices.ts";
import { nodeErrors, serverErrors } from "./nodes.ts";
import { requestErrors } from "./requests.ts";
import { serviceErrors } from "./service.ts";
import { sessionErrors } from "./sessions.ts";

/** Every refusal that the HTTP API can answer with, sorted by code. */
export const refusals: readonly Refusal[] = [
  requestErrors,
  serviceErrors,
  accountErrors,
  sessionErrors,
  nodeErrors,
  serverErrors,
  deviceErrors,
]
  .flatMap((errors): Refusal[] => Object.values(errors))
  .sort((a, b) => (a.code < b.code ? -1 : 1));
