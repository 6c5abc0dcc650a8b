import { MINUTE_MS } from "@securewave/foundation";
import { type Alert, type AlertEpisode, alertErrors, type HealthDetails } from "../alerts.ts";
import { type FakeCall, type Mutable, pageOf } from "./fake-call.ts";

const JUDGED_AT = "2026-11-20T11:59:00.000Z";

export interface FakeAlerts {
  readonly alerts: Mutable<Alert>[];
  readonly episodes: AlertEpisode[];
  readonly health: Mutable<HealthDetails>;
}

export function createFakeAlerts(): FakeAlerts {
  return {
    alerts: [
      fakeAlert("NodeOffline", {
        severity: "critical",
        state: "firing",
        since: "2026-11-20T11:30:00.000Z",
        summary: "A VPN server is not connected to the service.",
        advice: "`securewave nodes list` names it.",
        runbook: "docs/runbooks/alerts.md#node-offline",
      }),
      fakeAlert("DiskFilling", {}),
    ],
    episodes: [
      { name: "NodeOffline", severity: "critical", began_at: "2026-11-20T11:30:00.000Z", ended_at: null },
      {
        name: "RedisDown",
        severity: "warning",
        began_at: "2026-11-12T02:10:00.000Z",
        ended_at: "2026-11-12T02:25:00.000Z",
      },
    ],
    health: {
      status: "degraded",
      timestamp: "2026-11-20T12:00:00.000Z",
      checks: [
        {
          id: "database",
          title: "Database",
          state: "well",
          says: "It answers.",
          advice: null,
          alerts: [],
        },
        {
          id: "vpn_servers",
          title: "VPN servers",
          state: "failing",
          says: "A VPN server is not connected to the service.",
          advice: "`securewave nodes list` names it.",
          alerts: ["NodeOffline"],
        },
        {
          id: "certificate",
          title: "Certificate",
          state: "unknown",
          says: "PUBLIC_URL is not https.",
          advice: null,
          alerts: [],
        },
      ],
    },
  };
}

function fakeAlert(name: string, facts: Partial<Alert>): Mutable<Alert> {
  return {
    name,
    severity: "warning",
    state: "quiet",
    summary: "The disk below DATA_DIR is more than 85 % full.",
    advice: "See what grows.",
    for_minutes: 10,
    since: null,
    silence: null,
    runbook: "docs/runbooks/alerts.md#disk-filling",
    ...facts,
  };
}

export function alertHandlers({ alerts, episodes, health }: FakeAlerts) {
  function find({ params }: FakeCall): Mutable<Alert> {
    const alert = alerts.find(({ name }) => name === params.name);
    if (alert === undefined) throw alertErrors.notFound();
    return alert;
  }
  return {
    "alerts.health": () => health,
    "alerts.list": () => ({ judged_at: JUDGED_AT, items: alerts }),
    "alerts.history": ({ query }: FakeCall) => pageOf(episodes, query),
    "alerts.silence": (call: FakeCall) => {
      const alert = find(call);
      const untilMs = Date.parse(JUDGED_AT) + Number(call.body.minutes) * MINUTE_MS;
      alert.silence = { until: new Date(untilMs).toISOString(), reason: String(call.body.reason) };
      return alert;
    },
    "alerts.unsilence": (call: FakeCall) => {
      const alert = find(call);
      if (alert.silence === null) throw alertErrors.notSilenced();
      alert.silence = null;
      return null;
    },
  };
}
