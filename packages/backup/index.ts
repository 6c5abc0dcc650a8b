export { type Archive, type ArchivePiece, readArchives } from "./archiving/pieces.ts";
export {
  type ArchiveOptions,
  type ArchiveReceiver,
  type ArchiveState,
  receiveArchive,
} from "./archiving/receiver.ts";
export { type Content, openContent, type StoreOptions, storeBackup } from "./contents.ts";
export { type BaseOptions, takeBase } from "./database/base.ts";
export { backupErrors, sealErrors, targetErrors } from "./errors.ts";
export type { BackupKind, BackupObject, BasePosition, Manifest } from "./manifest.ts";
export { listBackups, readManifest, removeBackup } from "./manifest.ts";
export { openPiece } from "./restoring/log-files.ts";
export { type PlanOptions, planRestore, type RestorePlan, restorableRanges } from "./restoring/plan.ts";
export {
  type Restored,
  type RestoreOptions,
  restoreDatabase,
  withRestored,
} from "./restoring/restore.ts";
export { type CleanedUp, type CleanUpOptions, cleanUp } from "./retention.ts";
export { createIdentity, isRecipient, recipientOf } from "./sealing/keys.ts";
export { openTarget, type TargetOptions } from "./targets/open.ts";
export { checkTarget, type Target, type TargetCredentials } from "./targets/target.ts";
export { type Finding, verifyArchive, verifyObjects } from "./verify.ts";
