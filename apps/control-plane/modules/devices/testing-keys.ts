import { DAY_MS, dayOf, invariant } from "@securewave/foundation";
import { createJobs } from "@securewave/jobs";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { connectNode, openTestApp, type Person } from "../../testing.ts";

export interface KeyMail {
  readonly accountId: string;
  readonly deviceId: string;
  readonly validUntil: string | null;
}

export const freshKey = () => generateKeyPair().publicKey;

/** A service with two nodes, whose jobs run when a test has the clock strike. */
export async function openKeyScene() {
  const jobs = new Map<string, (data: object) => Promise<void>>();
  /** Queued, not sent. */
  const letters: KeyMail[] = [];
  const movedLetters: { accountId: string; validUntil: string }[] = [];
  /** Names of jobs that wait to be done. */
  const queued: string[] = [];
  const service = await openTestApp({
    createJobs: (...given) => ({
      ...createJobs(...given),
      define(name, run) {
        jobs.set(name, run as (data: object) => Promise<void>);
      },
      async send(name, data) {
        queued.push(name);
        if (name === "tunnel-key-mail") letters.push(data as KeyMail);
        if (name === "moved-devices-mail") movedLetters.push(data as (typeof movedLetters)[number]);
      },
      start: async () => {},
    }),
  });
  const first = await connectNode(service, { name: "First" });
  const second = await connectNode(service, { name: "Second" });

  async function strike(job: string, data: object = {}): Promise<void> {
    const run = jobs.get(job);
    invariant(run, "the job is defined");
    await run(data);
  }

  return {
    service,
    first,
    second,
    letters,
    movedLetters,
    queued,
    drain: () => strike("drain-nodes"),
    deliverMoved: (mail: object) => strike("moved-devices-mail", mail),
    retire: () => strike("retire-tunnel-keys"),
    renew: () => strike("renew-tunnel-keys"),
    deliver: (mail: KeyMail) => strike("tunnel-key-mail", mail),
    inDays: (days: number) => dayOf(service.clock.now() + days * DAY_MS),
    /** Log-ins of programs end meanwhile. */
    passDays: (days: number) => service.clock.advanceSeconds((days * DAY_MS) / 1000),

    /** On the first node. */
    async phoneOf({ devices }: Person["client"], public_key?: string) {
      const device = await devices.create({
        body: {
          name: "Phone",
          server_id: first.identity.id,
          ...(public_key === undefined ? {} : { public_key }),
        },
      });
      return { device, params: { id: device.id } };
    },

    async addressesInUse(): Promise<number> {
      const { rows } = await service.database.pool.query<{ count: number }>(
        "select (select count(address_index)::int from devices) + (select count(*)::int from retiring_keys) as count",
      );
      return rows[0]?.count ?? 0;
    },
  };
}
