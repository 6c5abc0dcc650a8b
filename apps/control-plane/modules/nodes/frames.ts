import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import type { Static, TSchema } from "typebox";

const ajv = addFormats.default(new Ajv({ allowUnionTypes: true }));

/** Compiles a schema of the node protocol into a type guard. */
export function createCheck<Schema extends TSchema>(
  schema: Schema,
): (value: unknown) => value is Static<Schema> {
  const validate = ajv.compile(schema);
  return (value): value is Static<Schema> => validate(value) === true;
}
