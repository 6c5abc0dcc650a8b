import { TRAP_FIELD } from "@securewave/contracts/challenge";

/**
 * Whether a field was filled in that people never see.
 *
 * @param fields what a form sent
 */
export function isTrapSprung(fields: unknown, trapField: string = TRAP_FIELD): boolean {
  if (typeof fields !== "object" || fields === null || !Object.hasOwn(fields, trapField)) return false;
  const value: unknown = Reflect.get(fields, trapField);
  return value !== undefined && value !== null && value !== "";
}
