import type { Client, DrillReport } from "@securewave/contracts";
import { createId } from "@securewave/foundation";
import { PASSWORD, type TestApp } from "../../testing.ts";
import { type Acts, act } from "./act.ts";

const password = PASSWORD;

const DRILL: DrillReport = {
  scenario: "redis-loss",
  outcome: "met",
  version: "0.1.0",
  target: { name: "API", rto_seconds: 7_200, rpo_seconds: 3_600 },
  rto_seconds: 1,
  rpo_seconds: 0,
  writes: { acknowledged: 1, lost: 0 },
  timeline: [{ at_seconds: 0, what: "Redis was killed" }],
  checks: [{ what: "limits hold", is_met: true }],
};

const incident = (client: Client) =>
  client.statusDesk.openIncident({ body: { title: "Slow", text: "It is slow." } });

/** What staff do to keep the service running. */
export function operationActs(service: TestApp): Acts {
  async function deadLetter(): Promise<string> {
    const id = createId("deadLetter");
    const letter = { id, job: "account-mail", data: "{}", failed_on: "2026-01-01", attempts: 9 };
    await service.database.db.insertInto("dead_letters").values(letter).execute();
    return id;
  }

  function maintenance(client: Client) {
    const inDays = (days: number) => new Date(service.clock.now() + days * 86_400_000).toISOString();
    const times = { starts_at: inDays(2), ends_at: inDays(3) };
    return client.statusDesk.schedule({
      body: { title: "Disks", text: "New ones.", notifies: false, ...times },
    });
  }

  async function breach() {
    const { client } = await service.admin();
    const { id } = await client.breaches.start({ body: { summary: "A lost laptop", password } });
    return { client, params: { id } };
  }

  async function closeBreach(): Promise<void> {
    const { client } = await service.admin();
    const { items } = await client.breaches.list();
    for (const { id } of items.filter(({ closed_at }) => closed_at === null))
      await client.breaches.close({ params: { id }, body: { password } });
  }

  return {
    "alerts.silence": act("alert_silenced", async () => {
      const { client } = await service.person("support");
      return () =>
        client.alerts.silence({ params: { name: "DiskFull" }, body: { minutes: 10, reason: "known" } });
    }),
    "alerts.unsilence": act("alert_unsilenced", async () => {
      const { client } = await service.person("support");
      const params = { name: "DiskFilling" };
      await client.alerts.silence({ params, body: { minutes: 10, reason: "known" } });
      return () => client.alerts.unsilence({ params });
    }),
    "audit.export": act("audit_exported", async () => {
      const { client } = await service.admin();
      return () => client.audit.export();
    }),
    "keys.rotate": act("keys_rotated", async () => {
      const { client } = await service.admin();
      return () => client.keys.rotate({ body: { what: "signing" } });
    }),
    "jobs.run": act("job_started", async () => {
      const { client } = await service.admin();
      return () => client.jobs.run({ params: { name: "clean-up" } });
    }),
    "deadLetters.retry": act("dead_letter_retried", async () => {
      const [{ client }, id] = [await service.admin(), await deadLetter()];
      return () => client.deadLetters.retry({ params: { id } });
    }),
    "deadLetters.discard": act("dead_letter_discarded", async () => {
      const [{ client }, id] = [await service.admin(), await deadLetter()];
      return () => client.deadLetters.discard({ params: { id } });
    }),
    "statusDesk.openIncident": act("incident_opened", async () => {
      const { client } = await service.person("support");
      return () => incident(client);
    }),
    "statusDesk.changeIncident": act("incident_edited", async () => {
      const { client } = await service.person("support");
      const { id } = await incident(client);
      return () => client.statusDesk.changeIncident({ params: { id }, body: { title: "Slower" } });
    }),
    "statusDesk.updateIncident": act("incident_updated", async () => {
      const { client } = await service.person("support");
      const { id } = await incident(client);
      const body = { state: "resolved", text: "It is fast." } as const;
      return () => client.statusDesk.updateIncident({ params: { id }, body });
    }),
    "statusDesk.changeUpdate": act("incident_edited", async () => {
      const { client } = await service.person("support");
      const { updates } = await incident(client);
      const params = { id: updates[0]?.id ?? "" };
      return () => client.statusDesk.changeUpdate({ params, body: { text: "It is very slow." } });
    }),
    "statusDesk.removeUpdate": act("incident_edited", async () => {
      const { client } = await service.person("support");
      const { id } = await incident(client);
      const body = { state: "identified", text: "A cable." } as const;
      const { updates } = await client.statusDesk.updateIncident({ params: { id }, body });
      return () => client.statusDesk.removeUpdate({ params: { id: updates[0]?.id ?? "" } });
    }),
    "statusDesk.removeIncident": act("incident_removed", async () => {
      const { client } = await service.person("support");
      const { id } = await incident(client);
      return () => client.statusDesk.removeIncident({ params: { id } });
    }),
    "statusDesk.switchMode": act(
      "maintenance_switched",
      async () => {
        const { client } = await service.admin();
        return () => client.statusDesk.switchMode({ body: { mode: "read-only" } });
      },
      async () => (await service.admin()).client.statusDesk.switchMode({ body: { mode: "off" } }),
    ),
    "statusDesk.schedule": act("maintenance_scheduled", async () => {
      const { client } = await service.admin();
      return () => maintenance(client);
    }),
    "statusDesk.reschedule": act("maintenance_changed", async () => {
      const { client } = await service.admin();
      const { id } = await maintenance(client);
      return () => client.statusDesk.reschedule({ params: { id }, body: { title: "Other disks" } });
    }),
    "statusDesk.cancel": act("maintenance_cancelled", async () => {
      const { client } = await service.admin();
      const { id } = await maintenance(client);
      return () => client.statusDesk.cancel({ params: { id } });
    }),
    "drills.record": act("drill_recorded", async () => {
      const { client } = await service.person("support");
      return () => client.drills.record({ body: DRILL });
    }),
    "breaches.start": act(
      "breach_opened",
      async () => {
        const { client } = await service.admin();
        return () => client.breaches.start({ body: { summary: "A lost laptop", password } });
      },
      closeBreach,
    ),
    "breaches.note": act(
      "breach_noted",
      async () => {
        const { client, params } = await breach();
        return () => client.breaches.note({ params, body: { text: "It was found." } });
      },
      closeBreach,
    ),
    "breaches.rotate": act(
      "breach_credentials_ended",
      async () => {
        const { client, params } = await breach();
        return () => client.breaches.rotate({ params, body: { what: "links", password } });
      },
      closeBreach,
    ),
    "breaches.notify": act(
      "breach_notified",
      async () => {
        const { client, params } = await breach();
        const body = { subject: "A lost laptop", text: "Nothing of yours was on it.", password };
        return () => client.breaches.notify({ params, body });
      },
      closeBreach,
    ),
    "breaches.close": act("breach_closed", async () => {
      const { client, params } = await breach();
      return () => client.breaches.close({ params, body: { password } });
    }),
  };
}
