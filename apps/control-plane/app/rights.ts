import type { AuditedBackups } from "../modules/backups/index.ts";
import { createDeletions, createPrivacy, createRequests } from "../modules/privacy/index.ts";
import { createZeroLog } from "../modules/zero-log/index.ts";
import { prepareAudit } from "../zero-log-order.ts";
import type { AppOptions, Ground } from "./ground.ts";
import type { Keys } from "./keys.ts";
import type { People } from "./people.ts";
import type { TunnelRoom } from "./tunnels.ts";

export type Rights = Awaited<ReturnType<typeof openRights>>;

/** What people can ask of the service about themselves, and the proof that it keeps nothing else. */
export async function openRights(
  ground: Ground,
  keys: Keys,
  people: People,
  tunnels: TunnelRoom,
  { version, auditor }: AppOptions,
) {
  const { config, database, clock, logger, telemetry, bus, jobs, publicUrl, onTrouble } = ground;
  const { audit, dataKeys } = keys;
  const { accounts, sessions, settings, mail } = people;
  const { nodes } = tunnels;

  const privacy = createPrivacy({
    database,
    clock,
    accounts,
    audit,
    sessions: { list: (accountId, page) => sessions.list(accountId, "", page) },
    devices: tunnels.devices,
    apiKeys: people.apiKeys,
    passkeys: people.passkeys,
    secondFactors: people.secondFactors,
    plans: tunnels.plans,
    usageOf: tunnels.accountUsage.own,
    history: tunnels.usageHistory,
    policy: people.policy,
    requests: createRequests({ database, dataKeys, clock, audit }),
    deletions: createDeletions({
      database,
      dataKeys,
      clock,
      jobs,
      bus,
      audit,
      accounts,
      mail,
      settings,
      graceDays: config.privacy.deletionGraceDays,
      onTrouble,
    }),
  });

  const [gateway = ""] = tunnels.addresses;
  const searched = { config, database, accounts, sessions, nodes, privacy, version, gateway };
  let backups: AuditedBackups | undefined;
  const zeroLog = createZeroLog({
    database,
    clock,
    jobs,
    logger,
    telemetry,
    key: await keys.serviceKey("zero-log"),
    name: `${new URL(publicUrl).host}/zero-log`,
    command: auditor,
    prepare: (isQuick) => prepareAudit({ ...searched, backups }, isQuick),
  });
  return {
    privacy,
    zeroLog,
    /** Has searches look into backups, which a later room makes. */
    searchBackups(audited: AuditedBackups): void {
      backups = audited;
    },
  };
}
