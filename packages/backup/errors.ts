import { defineErrors } from "@securewave/foundation";

/** What goes wrong with the place that backups are kept in. Details name places and objects, never a secret. */
export const targetErrors = defineErrors("backup_target", {
  invalidUrl: {
    status: 500,
    message:
      "This is no place for backups. Give a folder's path, s3://bucket/prefix or azblob://account/container/prefix.",
  },
  unreachable: {
    status: 503,
    message:
      "The backup target cannot be reached. Check its address and the network; nothing was lost on the service's side.",
  },
  denied: {
    status: 502,
    message:
      "The backup target refuses the credentials. Check the keys and that they may read, write, list and delete.",
  },
  full: {
    status: 507,
    message: "The backup target is full. Make room, or shorten the retention and run the clean-up.",
  },
  notFound: {
    status: 404,
    message: "The backup target holds no such object. Verify the backup; restore from another one.",
  },
  failed: { status: 502, message: "The backup target does not take this request." },
});

export const sealErrors = defineErrors("backup_seal", {
  invalidKey: {
    status: 500,
    message: "This is no age key. A recipient begins with age1, an identity with AGE-SECRET-KEY-1.",
  },
  wrongKey: {
    status: 422,
    message:
      "None of the given identities opens this object. Give the one whose recipient it was sealed for.",
  },
  damaged: {
    status: 422,
    message: "An object is damaged: it is not what was written. Restore from another backup.",
  },
});

export const backupErrors = defineErrors("backup", {
  alreadyRunning: {
    status: 409,
    message: "A base backup of this database is running. Wait for its end.",
  },
  archiveInUse: {
    status: 409,
    message: "Another process archives this database. One is enough; end the other to take over.",
  },
  noBackup: { status: 404, message: "The backup target holds no backup of the database." },
  notFound: { status: 404, message: "There is no such backup." },
  tooEarly: { status: 422, message: "The instant lies before the first backup. Choose a later one." },
  tooLate: {
    status: 422,
    message: "The instant lies after what is archived. Choose an earlier one, or the latest.",
  },
  archiveGap: {
    status: 422,
    message:
      "A piece of the archive is missing. Restore to an instant before the gap or after the next base.",
  },
  damaged: {
    status: 422,
    message: "A part of the backup is damaged. Restore from another one, and take a new base.",
  },
  folderInUse: {
    status: 409,
    message: "The folder holds something or is in use. Restore into one that is empty or does not exist.",
  },
  folderImpossible: {
    status: 422,
    message: "The folder cannot be made. Restore into another one.",
  },
  diskFull: {
    status: 507,
    message: "The disk that it was restored to is full. Make room, or restore to another one.",
  },
  notPermitted: {
    status: 500,
    message: "The database's role may not replicate. Run: alter role … replication, or use another role.",
  },
  unsupported: { status: 500, message: "This database cannot be backed up as it is." },
  postgresMissing: {
    status: 500,
    message: "The programs of the database's version of PostgreSQL are not on this machine. Install them.",
  },
  recoveryFailed: { status: 500, message: "PostgreSQL did not recover from the backup." },
  interrupted: { status: 500, message: "The work was ended before it was done. Run it again." },
});
