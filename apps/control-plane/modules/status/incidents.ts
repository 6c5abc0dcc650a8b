import {
  type api,
  type BodyOf,
  type Incident,
  type IncidentState,
  statusErrors,
} from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import { type Clock, createId } from "@securewave/foundation";
import type { Kysely } from "kysely";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Audit } from "../audit/index.ts";
import * as store from "./incident-store.ts";

export interface IncidentsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: Audit;
  /** @throws status.no_such_component */
  readonly demandComponents: (components: readonly string[]) => Promise<void>;
  /** Hears of each change, once it is committed. */
  readonly onChanged: () => void;
}

export type Incidents = ReturnType<typeof createIncidents>;

type NewIncident = BodyOf<typeof api.statusDesk.openIncident>;
type IncidentChange = BodyOf<typeof api.statusDesk.changeIncident>;
type Impacts = Incident["components"];

/** What staff post of what is wrong, for everybody to read. */
export function createIncidents({ database, clock, audit, demandComponents, onChanged }: IncidentsOptions) {
  const { db } = database;

  async function view(rows: readonly store.IncidentRow[], on: Kysely<Tables> = db): Promise<Incident[]> {
    const updates = await store.listUpdates(
      on,
      rows.map(({ id }) => id),
    );
    return rows.map((row) => ({
      id: row.id,
      title: row.title,
      state: row.state,
      components: row.components as Impacts,
      opened_at: row.opened_at.toISOString(),
      resolved_at: row.resolved_at?.toISOString() ?? null,
      updates: updates
        .filter(({ incident_id }) => incident_id === row.id)
        .map(({ id, state, text, posted_at, is_edited }) => ({
          ...{ id, state, text, is_edited },
          posted_at: posted_at.toISOString(),
        })),
    }));
  }

  async function show(trx: Kysely<Tables>, id: string): Promise<Incident> {
    const row = await store.findIncident(trx, id);
    const [incident] = row ? await view([row], trx) : [];
    if (!incident) throw statusErrors.incidentNotFound();
    return incident;
  }

  /** Carries a change out on an incident that nobody else changes meanwhile. */
  async function change(
    lock: (trx: Kysely<Tables>) => Promise<store.IncidentRow>,
    work: (trx: Kysely<Tables>, incident: store.IncidentRow) => Promise<void>,
  ): Promise<Incident> {
    const changed = await database.transaction(async (trx) => {
      const incident = await lock(trx);
      await work(trx, incident);
      return show(trx, incident.id);
    });
    onChanged();
    return changed;
  }

  const itself = (id: string) => async (trx: Kysely<Tables>) => {
    const incident = await store.lockIncident(trx, id);
    if (!incident) throw statusErrors.incidentNotFound();
    return incident;
  };
  const ofUpdate = (updateId: string) => async (trx: Kysely<Tables>) => {
    const update = await store.findUpdate(trx, updateId);
    const incident = update && (await store.lockIncident(trx, update.incident_id));
    const isStillThere = incident && (await store.findUpdate(trx, updateId));
    if (!isStillThere) throw statusErrors.updateNotFound();
    return incident;
  };
  const resolution = (state: IncidentState, now: Date) => (state === "resolved" ? now : null);

  return {
    async list(page: PageRequest) {
      const bounds = boundsOf(page, ["integer", "text"]);
      const rows = await store.listIncidents(db, bounds);
      const listed = pageOf(
        rows,
        bounds,
        ({ opened_at, id }) => [String(+opened_at), id],
        (row) => row,
      );
      return { ...listed, items: await view(listed.items) };
    },

    /** Those that go on, and those of the last days, the newest first. */
    recent: async (since: Date) => view(await store.listRecent(db, since)),

    /** @throws status.no_such_component */
    async open({ title, text, state = "investigating", components = [] }: NewIncident, actor: string) {
      await demandComponents(components.map(({ component }) => component));
      const id = createId("incident");
      const now = new Date(clock.now());
      const opened = await database.transaction(async (trx) => {
        const resolved_at = resolution(state, now);
        await store.insertIncident(trx, { id, title, state, components, opened_at: now, resolved_at });
        const update = { id: createId("incidentUpdate"), incident_id: id, state, text, posted_at: now };
        await store.insertUpdate(trx, update);
        await audit.record(trx, { kind: "incident_opened", actor, subject: id });
        return show(trx, id);
      });
      onChanged();
      return opened;
    },

    /** @throws status.incident_not_found, status.no_such_component */
    async change(id: string, input: IncidentChange, actor: string) {
      // One that it had may be gone meanwhile, such as a region without nodes.
      const before = await store.findIncident(db, id);
      const former = new Set(((before?.components ?? []) as Impacts).map(({ component }) => component));
      const named = (input.components ?? []).map(({ component }) => component);
      await demandComponents(named.filter((component) => !former.has(component)));
      return change(itself(id), async (trx) => {
        await store.updateIncident(trx, id, input);
        const details = { names: Object.keys(input) };
        await audit.record(trx, { kind: "incident_edited", actor, subject: id, details });
      });
    },

    /** @throws status.incident_not_found */
    async remove(id: string, actor: string): Promise<void> {
      await database.transaction(async (trx) => {
        if (!(await store.lockIncident(trx, id))) throw statusErrors.incidentNotFound();
        await store.deleteIncident(trx, id);
        await audit.record(trx, { kind: "incident_removed", actor, subject: id });
      });
      onChanged();
    },

    /** @throws status.incident_not_found, status.already_resolved */
    update: (id: string, { state, text }: { state: IncidentState; text: string }, actor: string) =>
      change(itself(id), async (trx, incident) => {
        if (incident.state === "resolved") throw statusErrors.alreadyResolved();
        const now = new Date(clock.now());
        const update = { id: createId("incidentUpdate"), incident_id: id, state, text, posted_at: now };
        await store.insertUpdate(trx, update);
        await store.updateIncident(trx, id, { state, resolved_at: resolution(state, now) });
        await audit.record(trx, { kind: "incident_updated", actor, subject: id, details: { state } });
      }),

    /** @throws status.update_not_found */
    changeUpdate: (updateId: string, text: string, actor: string) =>
      change(ofUpdate(updateId), async (trx, { id }) => {
        await store.changeUpdate(trx, updateId, text);
        const details = { names: ["text"] };
        await audit.record(trx, { kind: "incident_edited", actor, subject: id, details });
      }),

    /** The incident is then as the update before says. @throws status.update_not_found, status.only_update */
    removeUpdate: (updateId: string, actor: string) =>
      change(ofUpdate(updateId), async (trx, { id }) => {
        const [latest, ...others] = (await store.listUpdates(trx, [id])).filter((one) => one.id !== updateId);
        if (latest === undefined) throw statusErrors.onlyUpdate();
        await store.deleteUpdate(trx, updateId);
        const resolvedBy = [latest, ...others].find(({ state }) => state === "resolved");
        const resolved_at = latest.state === "resolved" ? (resolvedBy?.posted_at ?? latest.posted_at) : null;
        await store.updateIncident(trx, id, { state: latest.state, resolved_at });
        const details = { names: ["updates"] };
        await audit.record(trx, { kind: "incident_edited", actor, subject: id, details });
      }),
  };
}
