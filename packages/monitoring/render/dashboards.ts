import { quantityOf } from "../promql.ts";
import type { Condition } from "../rule.ts";
import { alertRules } from "../rules/index.ts";

type Unit = "s" | "reqps" | "percentunit" | "short" | "d" | "bytes";

interface Panel {
  readonly title: string;
  readonly unit: Unit;
  /** PromQL by legend. */
  readonly queries: Readonly<Record<string, string>>;
  /** The rule whose bound is drawn. */
  readonly rule?: string;
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

const RATE = "[$__rate_interval]";

const dashboards: readonly Dashboard[] = [
  {
    uid: "securewave-service",
    title: "SecureWave: service",
    panels: [
      {
        title: "Requests",
        unit: "reqps",
        queries: { "{{status}}": `sum by (status) (rate(sentinel_requests_total${RATE}))` },
      },
      panelOf("ErrorRateHigh", "Share of failed requests", "percentunit"),
      panelOf("ResponseTimeHigh", "Time of a request, mean", "s"),
      panelOf("ResponseTimeTailHigh", "Time of a request, 95th percentile", "s"),
      {
        title: "Slowest routes, 95th percentile",
        unit: "s",
        queries: {
          "{{endpoint}}": `topk(8, histogram_quantile(0.95, sum by (endpoint, le) (rate(sentinel_request_duration_seconds_bucket${RATE}))))`,
        },
      },
      panelOf("QueriesSlow", "Time of a query, mean", "s"),
      panelOf("StatementsSlow", "Statements that took long, in ten minutes", "short"),
      panelOf("ReplicationLags", "How far the standby that is furthest behind is", "s"),
      {
        title: "Queries by table",
        unit: "reqps",
        queries: {
          "{{table}}": `topk(8, sum by (table) (rate(sentinel_db_query_duration_seconds_count${RATE})))`,
        },
      },
      {
        title: "Connections to the database",
        unit: "short",
        queries: {
          open: "sum(securewave_database_connections)",
          busy: "sum(securewave_database_connections_busy)",
          limit: "sum(securewave_database_connections_max)",
        },
      },
    ],
  },
  {
    uid: "securewave-attacks",
    title: "SecureWave: attacks",
    panels: [
      {
        title: "Log-ins",
        unit: "reqps",
        queries: {
          "{{method}} {{result}}": `sum by (method, result) (rate(sentinel_auth_attempts_total${RATE}))`,
        },
      },
      {
        title: "Refused by a limit",
        unit: "reqps",
        queries: {
          "{{limit_type}}": `sum by (limit_type) (rate(sentinel_rate_limit_exceeded_total${RATE}))`,
        },
      },
      panelOf("ManyOriginsBlocked", "Blocked origins", "short"),
      panelOf("LogInFailures", "Failed log-ins in five minutes", "short"),
      panelOf("BruteForce", "Log-ins to locked accounts in five minutes", "short"),
    ],
  },
  {
    uid: "securewave-fleet",
    title: "SecureWave: VPN servers",
    panels: [
      {
        title: "Nodes",
        unit: "short",
        queries: {
          connected: "sum(securewave_nodes_connected)",
          offline: "max(securewave_nodes_offline)",
          degraded: "max(securewave_nodes_degraded)",
          quarantined: "max(securewave_nodes_quarantined)",
          silent: "sum(securewave_nodes_silent)",
        },
      },
      {
        title: "Devices connected, at least",
        unit: "short",
        queries: { devices: "max(securewave_connections_floor)" },
      },
      {
        title: "Slowest handshake",
        unit: "s",
        queries: { handshake: "max(securewave_node_handshake_seconds)" },
      },
    ],
  },
  {
    uid: "securewave-sla",
    title: "SecureWave: service level",
    panels: [
      panelOf("AvailabilityLow", "Availability of this month", "percentunit"),
      panelOf("ErrorBudgetShort", "Error budget left of this month", "percentunit"),
      panelOf("ErrorBudgetBurning", "Share of requests of the last hour that failed", "percentunit"),
      panelOf("ResponseTimeTailHigh", "Time of a request, 95th percentile", "s"),
    ],
  },
  {
    uid: "securewave-operations",
    title: "SecureWave: operations",
    panels: [
      panelOf("JobOverdue", "Jobs overdue", "short"),
      panelOf("JobsGivenUp", "Jobs given up", "short"),
      panelOf("ArchiveLags", "Writes that are in no backup yet", "s"),
      panelOf("BackupUnverified", "Since a backup was restored and found good", "s"),
      {
        title: "Age of the newest backup",
        unit: "s",
        queries: {
          database: "max(securewave_backup_database_age_seconds)",
          settings: "max(securewave_backup_config_age_seconds)",
          "VPN servers": "max(securewave_backup_vpn_age_seconds)",
        },
      },
      panelOf("BackupBroken", "Work on backups failed", "short"),
      panelOf("JobAttemptsFail", "Attempts of jobs that failed, in ten minutes", "short"),
      panelOf("DrillOld", "Days since a drill met its targets", "d"),
      panelOf("ProofOld", "Days since nothing was found to be kept", "d"),
      panelOf("ProcessorBusy", "Processors in use", "percentunit"),
      panelOf("MemoryShort", "Memory in use", "percentunit"),
      panelOf("DiskFilling", "Disk in use", "percentunit"),
      panelOf("ClockOff", "Clock's distance to the database's", "s"),
      panelOf("CertificateExpiring", "Days until the certificate ends", "d"),
      {
        title: "Memory of the process",
        unit: "bytes",
        queries: { resident: "process_resident_memory_bytes" },
      },
      {
        title: "Event loop, 99th percentile",
        unit: "s",
        queries: { lag: "nodejs_eventloop_lag_p99_seconds" },
      },
    ],
  },
];

/** A panel of what an alert watches, with its bound. */
function panelOf(rule: string, title: string, unit: Unit): Panel {
  return { title, unit, queries: { [title]: quantityOf(conditionOf(rule).quantity) }, rule };
}

function conditionOf(name: string): Condition {
  const rule = alertRules.find((each) => each.name === name);
  if (rule === undefined) throw new Error(`there is no rule ${name}`);
  return rule.when;
}

const WIDTH = 12;
const HEIGHT = 8;
const DATA_SOURCE = { type: "prometheus", uid: "$" + "{datasource}" };

/** The dashboards in Grafana's form, by file name. */
export function dashboardFiles(): ReadonlyMap<string, object> {
  return new Map(dashboards.map((dashboard) => [`${dashboard.uid}.json`, grafanaOf(dashboard)]));
}

/** Every query of every panel, for promtool. */
export function dashboardQueries(): string[] {
  return dashboards.flatMap(({ panels }) => panels.flatMap(({ queries }) => Object.values(queries)));
}

/** @see https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ */
function grafanaOf({ uid, title, panels }: Dashboard): object {
  return {
    uid,
    title,
    tags: ["securewave"],
    timezone: "browser",
    schemaVersion: 39,
    editable: false,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [{ name: "datasource", label: "Data source", type: "datasource", query: "prometheus" }],
    },
    panels: panels.map((panel, index) => ({
      id: index + 1,
      type: "timeseries",
      title: panel.title,
      datasource: DATA_SOURCE,
      gridPos: { x: (index % 2) * WIDTH, y: Math.floor(index / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
      fieldConfig: {
        defaults: {
          unit: panel.unit,
          min: 0,
          ...(panel.rule !== undefined && thresholdsOf(conditionOf(panel.rule))),
        },
        overrides: [],
      },
      options: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi" } },
      targets: Object.entries(panel.queries).map(([legend, expr], at) => ({
        refId: String.fromCharCode("A".charCodeAt(0) + at),
        datasource: DATA_SOURCE,
        expr,
        legendFormat: legend,
      })),
    })),
  };
}

function thresholdsOf({ above, below }: Condition): object {
  const [first, last] = above === undefined ? ["red", "green"] : ["green", "red"];
  return {
    custom: { thresholdsStyle: { mode: "line" } },
    thresholds: {
      mode: "absolute",
      steps: [
        { color: first, value: null },
        { color: last, value: above ?? below },
      ],
    },
  };
}
