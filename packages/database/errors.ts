import { defineErrors } from "@securewave/foundation";

/** Why a store is not opened. Their details name folders and settings: they are for the operator. */
export const storeErrors = defineErrors("store", {
  unreadable: { status: 500, message: "The folder does not hold a store that can be read." },
  wrongVersion: { status: 500, message: "The store belongs to another version of PostgreSQL." },
  notWritable: { status: 500, message: "The folder of the store cannot be written." },
  inUse: { status: 500, message: "The store is in use by another process." },
  cannotStart: { status: 500, message: "PostgreSQL cannot be started." },
  unreachable: { status: 503, message: "The database cannot be reached." },
  logsValues: { status: 500, message: "The database writes the values of statements into its log." },
  migrationEdited: { status: 500, message: "A migration that was applied has been changed since." },
  migrationGap: { status: 500, message: "The numbers of the migrations are not a row without gaps." },
  migrationFailed: { status: 500, message: "A migration could not be applied." },
  newerSchema: { status: 500, message: "The database was migrated by a newer SecureWave." },
});
