import { deviceErrors } from "@securewave/contracts";
import { constraintOf, notNullColumnOf } from "@securewave/database";
import { isRefusalOf } from "@securewave/foundation";

export function keyInUse() {
  return deviceErrors.keyInUse({ issues: [{ at: "/public_key", message: "is in use" }] });
}

/** What it means to a device that has a server that there is none to choose. */
export function refusalOfMove(error: unknown): unknown {
  return isRefusalOf(error, deviceErrors.noServer) ? deviceErrors.noOtherServer() : error;
}

/** What a constraint of the tables means to whoever asked. */
export function refusalOf(error: unknown): unknown {
  if (notNullColumnOf(error) === "account_id") return deviceErrors.limitReached();
  switch (constraintOf(error)) {
    case "devices_active_have_node":
      return deviceErrors.serverUnavailable();
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
