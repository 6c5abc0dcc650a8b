import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import { Day, HumanText, Id, IdParams, Nothing, Nullable, OneOf, pagesOf, Strict } from "./schemas.ts";
import { ServiceMinutes } from "./sla.ts";

export const statusErrors = defineErrors("status", {
  incidentNotFound: { status: 404, message: "There is no such incident." },
  updateNotFound: { status: 404, message: "There is no such update." },
  maintenanceNotFound: { status: 404, message: "There is no such maintenance." },
  alreadyResolved: { status: 409, message: "This incident is resolved. Open another one." },
  onlyUpdate: { status: 409, message: "An incident has one update at least. Remove the incident." },
  noSuchComponent: {
    status: 422,
    message: "The status page has no such component. It lists those that there are.",
  },
  tooSoon: {
    status: 409,
    message:
      "Maintenance is announced 24 hours ahead at least. Choose a later time, or say that it is an emergency.",
  },
  wrongTimes: {
    status: 422,
    message: "Maintenance begins within a year, and ends after that, within seven days.",
  },
  alreadyBegun: { status: 409, message: "This maintenance has begun, is over or was cancelled." },
});

const Instant = Type.String({ format: "date-time", maxLength: 40 });
/** Paragraphs of people: no control characters but new lines. */
const Text = Type.String({
  minLength: 1,
  maxLength: 4000,
  pattern: "^[\\n\\p{Z}]*[^\\p{C}\\s](?:[^\\p{C}]|\\n)*$",
});
const Title = HumanText(120);
const Component = HumanText(80);

export const INCIDENT_STATES = ["investigating", "identified", "monitoring", "resolved"] as const;
export const IncidentState = OneOf(INCIDENT_STATES);
export type IncidentState = Static<typeof IncidentState>;

/** What an incident does to a component. */
const Impact = OneOf(["degraded", "down", "none"]);
const Impacts = Type.Array(Strict({ component: Component, impact: Impact }), { maxItems: 50 });

export const IncidentUpdate = Strict({
  id: Id("incidentUpdate"),
  state: IncidentState,
  text: Text,
  posted_at: Instant,
  is_edited: Type.Boolean(),
});

export const Incident = Strict({
  id: Id("incident"),
  title: Title,
  state: IncidentState,
  components: Impacts,
  opened_at: Instant,
  resolved_at: Nullable(Instant),
  updates: Type.Array(IncidentUpdate, { description: "The newest first" }),
});
export type Incident = Static<typeof Incident>;

export const MAINTENANCE_MODES = ["off", "read-only", "closed"] as const;
/** `read-only`: customers look and change nothing; `closed`: only staff are let in. Tunnels go on in either. */
export const MaintenanceMode = OneOf(MAINTENANCE_MODES);
export type MaintenanceMode = Static<typeof MaintenanceMode>;

export const Maintenance = Strict({
  id: Id("maintenance"),
  title: Title,
  text: Text,
  starts_at: Instant,
  ends_at: Instant,
  announced_at: Instant,
  components: Type.Array(Component, { description: "None: the whole service" }),
  mode: MaintenanceMode,
  is_emergency: Type.Boolean({ description: "It was announced less than 24 hours ahead" }),
  notifies: Type.Boolean({ description: "Customers whom it concerns get a mail, and a reminder" }),
  state: OneOf(["scheduled", "active", "over", "cancelled"]),
});
export type Maintenance = Static<typeof Maintenance>;

const NewMaintenance = Strict({
  title: Title,
  text: Text,
  starts_at: Instant,
  ends_at: Instant,
  components: Type.Optional(Type.Array(Component, { maxItems: 50 })),
  mode: Type.Optional(MaintenanceMode),
  is_emergency: Type.Optional(Type.Boolean()),
  notifies: Type.Optional(Type.Boolean()),
});

const MaintenanceChange = Strict(
  {
    title: Type.Optional(Title),
    text: Type.Optional(Text),
    starts_at: Type.Optional(Instant),
    ends_at: Type.Optional(Instant),
    components: Type.Optional(Type.Array(Component, { maxItems: 50 })),
    mode: Type.Optional(MaintenanceMode),
    is_emergency: Type.Optional(Type.Boolean()),
  },
  { minProperties: 1 },
);

export const ComponentState = OneOf(["up", "degraded", "down", "maintenance", "unknown"]);
export type ComponentState = Static<typeof ComponentState>;

export const StatusDay = Strict({
  day: Day,
  state: ComponentState,
  minutes: ServiceMinutes,
  availability: Nullable(Type.Number({ minimum: 0, maximum: 1 })),
});

export const ServiceStatus = Strict({
  service: Type.String(),
  state: ComponentState,
  mode: MaintenanceMode,
  measured_at: Nullable(Instant),
  components: Type.Array(
    Strict({
      component: Type.String(),
      name: Type.String(),
      state: ComponentState,
      availability: Nullable(Type.Number({ minimum: 0, maximum: 1, description: "Of the days shown" })),
      days: Type.Array(StatusDay, { description: "90, the oldest first" }),
    }),
  ),
  incidents: Type.Array(Incident, { description: "Of the last 14 days, and those that go on" }),
  maintenance: Type.Array(Maintenance, { description: "What goes on and what is to come" }),
});
export type ServiceStatus = Static<typeof ServiceStatus>;

export const MaintenanceNow = Strict({
  mode: { ...MaintenanceMode, description: "What holds: the strictest of the others" },
  switched: { ...MaintenanceMode, description: "As staff switched it" },
  configured: { ...MaintenanceMode, description: "As MAINTENANCE_MODE says" },
  scheduled: { ...MaintenanceMode, description: "Of the maintenance that goes on" },
  breach: { ...MaintenanceMode, description: "Closed while a breach is open" },
  ends_at: Nullable({ ...Instant, description: "When it ends by itself" }),
});
export type MaintenanceNow = Static<typeof MaintenanceNow>;

export const status = {
  show: defineRoute({
    method: "GET",
    path: "/api/status",
    access: "anyone",
    tag: "status",
    summary: "Tells how the service is and was, what is wrong, and what maintenance is to come",
    success: { status: 200, schema: ServiceStatus },
    errors: [],
  }),
};

const staffs = { access: "staff", tag: "status" } as const;
const admins = { access: "admin", tag: "status" } as const;
const { incidentNotFound, updateNotFound, maintenanceNotFound, noSuchComponent, tooSoon, wrongTimes } =
  statusErrors;

/** What staff post on the status page, and maintenance. */
export const statusDesk = {
  incidents: defineRoute({
    ...staffs,
    method: "GET",
    path: "/api/admin/incidents",
    scope: "fleet:read",
    summary: "Lists incidents, the newest first",
    ...pagesOf(Incident, {}),
    errors: [],
  }),
  openIncident: defineRoute({
    ...staffs,
    method: "POST",
    path: "/api/admin/incidents",
    scope: "fleet:write",
    summary: "Posts an incident on the status page",
    body: Strict({
      title: Title,
      text: Text,
      state: Type.Optional(IncidentState),
      components: Type.Optional(Impacts),
    }),
    success: { status: 201, schema: Incident },
    errors: [noSuchComponent],
  }),
  changeIncident: defineRoute({
    ...staffs,
    method: "PATCH",
    path: "/api/admin/incidents/{id}",
    scope: "fleet:write",
    summary: "Changes an incident's title, or which components it concerns",
    params: IdParams("incident"),
    body: Strict({ title: Type.Optional(Title), components: Type.Optional(Impacts) }, { minProperties: 1 }),
    success: { status: 200, schema: Incident },
    errors: [incidentNotFound, noSuchComponent],
  }),
  removeIncident: defineRoute({
    ...staffs,
    method: "DELETE",
    path: "/api/admin/incidents/{id}",
    scope: "fleet:write",
    summary: "Takes an incident off the status page",
    params: IdParams("incident"),
    success: { status: 204, schema: Nothing },
    errors: [incidentNotFound],
  }),
  updateIncident: defineRoute({
    ...staffs,
    method: "POST",
    path: "/api/admin/incidents/{id}/updates",
    scope: "fleet:write",
    summary: "Posts what is new of an incident; with the state `resolved` it is over",
    params: IdParams("incident"),
    body: Strict({ state: IncidentState, text: Text }),
    success: { status: 201, schema: Incident },
    errors: [incidentNotFound, statusErrors.alreadyResolved],
  }),
  changeUpdate: defineRoute({
    ...staffs,
    method: "PATCH",
    path: "/api/admin/incident-updates/{id}",
    scope: "fleet:write",
    summary: "Changes the text of an update; the page says that it was edited",
    params: IdParams("incidentUpdate"),
    body: Strict({ text: Text }),
    success: { status: 200, schema: Incident },
    errors: [updateNotFound],
  }),
  removeUpdate: defineRoute({
    ...staffs,
    method: "DELETE",
    path: "/api/admin/incident-updates/{id}",
    scope: "fleet:write",
    summary: "Removes an update; the incident is then as the one before says",
    params: IdParams("incidentUpdate"),
    success: { status: 200, schema: Incident },
    errors: [updateNotFound, statusErrors.onlyUpdate],
  }),
  maintenance: defineRoute({
    ...staffs,
    method: "GET",
    path: "/api/admin/maintenance",
    scope: "fleet:read",
    summary: "Shows which maintenance mode holds, and why",
    success: { status: 200, schema: MaintenanceNow },
    errors: [],
  }),
  switchMode: defineRoute({
    ...admins,
    method: "PUT",
    path: "/api/admin/maintenance",
    scope: "settings:write",
    summary: "Switches the maintenance mode, in all replicas at once",
    body: Strict({ mode: MaintenanceMode }),
    success: { status: 200, schema: MaintenanceNow },
    errors: [],
  }),
  windows: defineRoute({
    ...staffs,
    method: "GET",
    path: "/api/admin/maintenance-windows",
    scope: "fleet:read",
    summary: "Lists maintenance that was announced, the latest first",
    ...pagesOf(Maintenance, {}),
    errors: [],
  }),
  schedule: defineRoute({
    ...admins,
    method: "POST",
    path: "/api/admin/maintenance-windows",
    scope: "settings:write",
    summary: "Announces maintenance; its mode begins and ends by itself",
    body: NewMaintenance,
    success: { status: 201, schema: Maintenance },
    errors: [noSuchComponent, tooSoon, wrongTimes],
  }),
  reschedule: defineRoute({
    ...admins,
    method: "PATCH",
    path: "/api/admin/maintenance-windows/{id}",
    scope: "settings:write",
    summary: "Changes maintenance that has not begun",
    params: IdParams("maintenance"),
    body: MaintenanceChange,
    success: { status: 200, schema: Maintenance },
    errors: [maintenanceNotFound, noSuchComponent, tooSoon, wrongTimes, statusErrors.alreadyBegun],
  }),
  cancel: defineRoute({
    ...admins,
    method: "DELETE",
    path: "/api/admin/maintenance-windows/{id}",
    scope: "settings:write",
    summary: "Cancels maintenance; one that goes on ends",
    params: IdParams("maintenance"),
    success: { status: 200, schema: Maintenance },
    errors: [maintenanceNotFound, statusErrors.alreadyBegun],
  }),
};
