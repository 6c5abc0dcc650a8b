/** How alerts reach people. Each secret is in a file that only Alertmanager reads. */
export interface AlertmanagerOptions {
  readonly slackUrlFile: string;
  readonly slackChannel: string;
  /** Of the bridge that turns alerts into Teams' cards. */
  readonly teamsBridgeUrl: string;
  readonly pagerDutyKeyFile: string;
  readonly pagerDutyUrl: string;
  readonly smtp: {
    readonly smarthost: string;
    readonly from: string;
    readonly to: string;
    readonly requireTls: boolean;
    readonly user?: string;
    readonly passwordFile?: string;
  };
  /** Multiplies all waits; tests are in a hurry. */
  readonly waits?: { readonly group: string; readonly interval: string };
}

const SECRETS = "/etc/securewave/alertmanager";

export const ALERTMANAGER_DEFAULTS: AlertmanagerOptions = {
  slackUrlFile: `${SECRETS}/slack-url`,
  slackChannel: "#securewave-alerts",
  teamsBridgeUrl: "http://127.0.0.1:9095/alerts",
  pagerDutyKeyFile: `${SECRETS}/pagerduty-key`,
  pagerDutyUrl: "https://events.pagerduty.com/v2/enqueue",
  smtp: {
    smarthost: "mail.example.org:587",
    from: "SecureWave <alerts@example.org>",
    to: "operators@example.org",
    requireTls: true,
    user: "alerts@example.org",
    passwordFile: `${SECRETS}/smtp-password`,
  },
};

const TITLE =
  '{{ .Status | toUpper }}{{ if eq .Status "firing" }} ({{ .Alerts.Firing | len }}){{ end }}: {{ .CommonLabels.alertname }}';
const TEXT =
  "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\nRunbook: {{ .Annotations.runbook }}\n{{ end }}";

/** Whoever is on call is woken by what is critical; all of it stands in the channels and in the mail. */
export function alertmanagerFile(options: AlertmanagerOptions = ALERTMANAGER_DEFAULTS): object {
  const { smtp, waits = { group: "30s", interval: "5m" } } = options;
  const resolved = { send_resolved: true };
  const slack = {
    api_url_file: options.slackUrlFile,
    channel: options.slackChannel,
    color:
      '{{ if eq .Status "resolved" }}good{{ else if eq .CommonLabels.severity "critical" }}danger{{ else }}warning{{ end }}',
    title: TITLE,
    text: TEXT,
    ...resolved,
  };
  const teams = { url: options.teamsBridgeUrl, max_alerts: 20, ...resolved };
  const pagerDuty = {
    routing_key_file: options.pagerDutyKeyFile,
    url: options.pagerDutyUrl,
    severity: "{{ .CommonLabels.severity }}",
    class: "{{ .CommonLabels.area }}",
    component: "{{ .CommonLabels.service }}",
    description: "{{ .CommonLabels.alertname }}: {{ .CommonAnnotations.summary }}",
    details: { advice: "{{ .CommonAnnotations.description }}", runbook: "{{ .CommonAnnotations.runbook }}" },
    ...resolved,
  };
  const mail = { to: smtp.to, headers: { Subject: TITLE }, text: TEXT, html: "", ...resolved };
  return {
    global: {
      resolve_timeout: "5m",
      smtp_smarthost: smtp.smarthost,
      smtp_from: smtp.from,
      smtp_require_tls: smtp.requireTls,
      ...(smtp.user !== undefined && { smtp_auth_username: smtp.user }),
      ...(smtp.passwordFile !== undefined && { smtp_auth_password_file: smtp.passwordFile }),
    },
    route: {
      receiver: "operators",
      group_by: ["alertname", "area"],
      group_wait: waits.group,
      group_interval: waits.interval,
      repeat_interval: "12h",
      routes: [
        { matchers: ['severity="critical"'], receiver: "on-call", repeat_interval: "1h" },
        { matchers: ['severity="warning"'], receiver: "operators" },
      ],
    },
    inhibit_rules: [
      // What follows from a cause that is told already.
      {
        source_matchers: ['alertname="ServiceDown"'],
        target_matchers: ['alertname!="ServiceDown"', 'service="securewave"'],
        equal: ["service"],
      },
      {
        source_matchers: ['alertname="DatabaseDown"'],
        target_matchers: ['area=~"requests|jobs|backups|zero-log"'],
        equal: ["service"],
      },
      {
        source_matchers: ['alertname="NodeOffline"'],
        target_matchers: ['alertname="NodeDegraded"'],
        equal: ["service"],
      },
      {
        source_matchers: ['alertname="ErrorRateHigh"'],
        target_matchers: ['alertname="ErrorBudgetBurning"'],
        equal: ["service"],
      },
      {
        source_matchers: ['alertname="QueriesSlow"'],
        target_matchers: ['alertname="StatementsSlow"'],
        equal: ["service"],
      },
      {
        source_matchers: ['alertname="DiskFull"'],
        target_matchers: ['alertname="DiskFilling"'],
        equal: ["service"],
      },
      {
        source_matchers: ['alertname="CertificateEnding"'],
        target_matchers: ['alertname="CertificateExpiring"'],
        equal: ["service"],
      },
    ],
    receivers: [
      { name: "operators", slack_configs: [slack], webhook_configs: [teams], email_configs: [mail] },
      {
        name: "on-call",
        pagerduty_configs: [pagerDuty],
        slack_configs: [slack],
        webhook_configs: [teams],
        email_configs: [mail],
      },
    ],
  };
}
