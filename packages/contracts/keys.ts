import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import { Day, Nullable, OneOf, Strict } from "./schemas.ts";

export const keyErrors = defineErrors("keys", {
  rotationRunning: {
    status: 409,
    message: "A rotation has just begun: the new key is on its way to all processes. Try again in a minute.",
  },
  ringFull: {
    status: 409,
    message: "The ring holds as many keys as it can. Former ones leave it when nothing needs them any more.",
  },
});

const CreatedOn = Nullable(
  Type.String({ format: "date", description: "Null for the key of the configuration" }),
);

/** A ring of keys: one at work, and former ones for what still needs them. No key is shown, ever. */
export const KeyRings = Strict({
  signing: Type.Array(
    Strict({
      kid: Type.String({ description: "Stands in each access token; 0 for the key of the configuration" }),
      algorithm: OneOf(["HS256", "EdDSA"]),
      state: OneOf(["arriving", "signing", "verifying"]),
      created_on: CreatedOn,
      retires_on: Nullable(Day),
    }),
  ),
  encryption: Type.Array(
    Strict({
      number: Type.Integer({ minimum: 1, maximum: 255 }),
      algorithm: OneOf(["AES-256-GCM"]),
      state: OneOf(["arriving", "sealing", "opening"]),
      created_on: CreatedOn,
      sealed: Type.Integer({ description: "Secrets in the store that are sealed under it" }),
      preshared_keys: Type.Integer({ description: "Devices whose preshared key is derived from it" }),
    }),
  ),
  master_key_previous: Type.Boolean({
    description: "MASTER_KEY_PREVIOUS is set; the ring is sealed under MASTER_KEY, so it can go",
  }),
});
export type KeyRings = Static<typeof KeyRings>;

export const keys = {
  list: defineRoute({
    method: "GET",
    path: "/api/admin/keys",
    access: "admin",
    tag: "keys",
    summary: "Shows the rings of keys: which is at work, and what still needs the former ones",
    success: { status: 200, schema: KeyRings },
    errors: [],
  }),
  rotate: defineRoute({
    method: "POST",
    path: "/api/admin/keys/rotate",
    access: "admin",
    limit: "sensitive",
    tag: "keys",
    summary: "Puts a new key to work; tokens and secrets of the former one stay good",
    body: Strict({ what: OneOf(["signing", "encryption"]) }),
    success: { status: 202, schema: KeyRings },
    errors: [keyErrors.rotationRunning, keyErrors.ringFull],
  }),
};
