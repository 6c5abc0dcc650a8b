/** A column whose values the envelope has sealed. */
export interface SealedColumn {
  readonly table: string;
  /** The primary key, of type `text`. */
  readonly key: string;
  readonly column: string;
}

/** Every column that is sealed under the ring of encryption keys, and so is resealed when that rotates. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: "service_keys", key: "name", column: "sealed_private_key" },
  { table: "devices", key: "id", column: "sealed_private_key" },
  { table: "signing_keys", key: "kid", column: "sealed_key" },
  { table: "second_factors", key: "account_id", column: "sealed_secret" },
];

/** The ring itself, which the root key seals. */
export const ROOT_SEALED_COLUMN = { table: "encryption_keys", column: "sealed_key" };
