/** What is read of Alertmanager's webhook. @see https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
export interface WebhookMessage {
  readonly status: string;
  readonly alerts: readonly {
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

/** The alerts as a message that a Teams workflow posts into a channel: one adaptive card. */
export function teamsCardOf({ status, alerts }: WebhookMessage): object {
  const names = [...new Set(alerts.map(({ labels }) => labels.alertname ?? "alert"))].join(", ");
  const isOver = status === "resolved";
  const isCritical = alerts.some(({ labels }) => labels.severity === "critical");
  const block = (text: string, looks: object = {}) => ({ type: "TextBlock", text, wrap: true, ...looks });
  return {
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          body: [
            block(`${isOver ? "RESOLVED" : "FIRING"}: ${names}`, {
              size: "large",
              weight: "bolder",
              color: isOver ? "good" : isCritical ? "attention" : "warning",
            }),
            ...alerts.flatMap(({ annotations }) => [
              block(annotations.summary ?? "", { weight: "bolder" }),
              block(annotations.description ?? ""),
              block(`Runbook: ${annotations.runbook ?? ""}`, { isSubtle: true }),
            ]),
          ],
        },
      },
    ],
  };
}

/** Undefined where it is none. */
export function parseWebhookMessage(text: string): WebhookMessage | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value) || typeof value.status !== "string" || !Array.isArray(value.alerts))
      return undefined;
    const alerts = value.alerts.filter(isRecord).map(({ status, labels, annotations }) => ({
      status: String(status),
      labels: textsOf(labels),
      annotations: textsOf(annotations),
    }));
    return { status: value.status, alerts };
  } catch {
    return undefined;
  }
}

function textsOf(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
