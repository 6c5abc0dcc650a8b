import type { BackupCheck, BackupKind, BackupRun } from "@securewave/contracts";

export const KIND_WORDS = {
  database: "Database",
  config: "Settings",
  vpn: "VPN servers",
} as const satisfies Record<BackupKind, string>;

export const CHECK_WORDS = {
  objects: "Every object is there and opens",
  archive: "The archive has no gap",
  restore: "It restores and starts",
  row_counts: "Every table has its rows",
  constraints: "Every rule of the schema holds",
  audit_trail: "The audit trail verifies",
  device_configs: "Devices get the same configs",
  contents: "What is in it is whole",
} as const satisfies Record<BackupCheck["name"], string>;

export const ACT_WORDS = {
  back_up: "Backing up",
  verify: "Verifying",
  clean_up: "Cleaning up",
} as const satisfies Record<BackupRun["act"], string>;
