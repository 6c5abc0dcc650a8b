import { Type } from "typebox";
import { accountErrors } from "./accounts.ts";
import { Code, Password, sessionErrors } from "./sessions.ts";

/**
 * What somebody who is logged in sends along with an act that a thief of the log-in must not do: the password, and a
 * code where a second factor is on.
 */
export const Proof = {
  password: Password,
  code: Type.Optional(Code),
};

/** What every act that takes a proof refuses with. */
export const proofErrors = [
  accountErrors.wrongPassword,
  sessionErrors.secondFactorNeeded,
  sessionErrors.wrongCode,
  sessionErrors.locked,
] as const;
