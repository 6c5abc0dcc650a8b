import { join } from "node:path";
import { dataKeyPathsOf } from "../config.ts";
import { type Audit, createAudit } from "../modules/audit/index.ts";
import { openDataKeys } from "../modules/data-keys/index.ts";
import { openKeyRings } from "../modules/key-rings/index.ts";
import { loadServiceKey, type ServiceKeyName } from "../modules/service-keys/index.ts";
import type { Secrets } from "../secrets.ts";
import type { Ground } from "./ground.ts";

export type Keys = Awaited<ReturnType<typeof openKeys>>;

/** The keys that seal and sign, and the audit trail, which is signed and has their rotations. */
export async function openKeys(ground: Ground, secrets: Secrets) {
  const { config, database, clock, bus, jobs, publicUrl, onTrouble, closing } = ground;
  const { host } = new URL(publicUrl);
  let trail: Audit | undefined;
  const keyRings = await openKeyRings({
    database,
    clock,
    bus,
    jobs,
    secrets,
    algorithm: config.sessions.jwtAlgorithm,
    accessHours: config.sessions.accessHours,
    onTrouble,
    record: async (trx, what, actor) => {
      await trail?.record(trx, { kind: "keys_rotated", actor, subject: "service", details: { what } });
    },
  });
  closing.defer(keyRings.close);
  const { envelope } = keyRings;
  const { dataKeys, file } = await openDataKeys({ database, envelope, paths: dataKeyPathsOf(config) });
  closing.defer(file.close);
  const serviceKey = (name: ServiceKeyName) => loadServiceKey(database.db, envelope, name);
  const identity = await serviceKey("control-plane");
  const audit = createAudit({
    database,
    clock,
    key: await serviceKey("audit-trail"),
    origin: `${host}/audit`,
    archiveDir: join(config.store.dir, "audit-archive"),
    retentionDays: config.auditRetentionDays,
    onError: onTrouble,
  });
  trail = audit;
  closing.defer(audit.close);
  return { keyRings, envelope, dataKeys, audit, identity, serviceKey };
}
