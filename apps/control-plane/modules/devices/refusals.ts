import { deviceErrors } from "@securewave/contracts";
import { constraintOf, notNullColumnOf } from "@securewave/database";
import { RefusalError } from "@securewave/foundation";

export function keyInUse() {
  return deviceErrors.keyInUse({ issues: [{ at: "/public_key", message: "is in use" }] });
}

export function isServerUnavailable(error: unknown): boolean {
  return error instanceof RefusalError && error.code === deviceErrors.serverUnavailable.code;
}

/** What a constraint of the tables means to whoever asked. */
export function refusalOf(error: unknown): unknown {
  if (notNullColumnOf(error) === "account_id") return deviceErrors.limitReached();
  switch (constraintOf(error)) {
    case "devices_public_key_key":
      return keyInUse();
    case "devices_active_name":
      return deviceErrors.nameInUse({
        issues: [{ at: "/name", message: "is the name of another device of yours" }],
      });
    default:
      return error;
  }
}
