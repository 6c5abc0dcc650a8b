import { decimal, oneOf, optionalSecret, optionalText } from "@securewave/foundation/settings";
import { isHttpUrl, parsePath } from "../setting-texts.ts";

/** What the service tells of itself. */
export const logsSettings = {
  logLevel: oneOf("LOG_LEVEL", "How much is logged.", ["error", "warn", "info", "debug"], {
    default: "info",
  }),
  logPath: optionalText(
    "LOG_FILE",
    "File for the log in place of standard output; rotated at 100 MiB, five are kept.",
    {
      range: "a path",
      isAllowed: (path) => parsePath(path) !== undefined,
    },
  ),
  traces: {
    endpoint: optionalText(
      "OTEL_EXPORTER_OTLP_ENDPOINT",
      "OpenTelemetry collector for traces; none are made without.",
      {
        range: "an http or https URL",
        isAllowed: isHttpUrl,
      },
    ),
    share: decimal("OTEL_TRACES_SAMPLER_ARG", "Share of the requests that are traced.", {
      default: 1,
      min: 0,
      max: 1,
    }),
  },
  alerts: {
    watch: oneOf(
      "ALERT_WATCH",
      "Whether the service judges its own figures every minute and writes to its admins when an alert fires.",
      ["on", "off"],
      { default: "on" },
    ),
    heartbeatUrl: optionalSecret(
      "ALERT_HEARTBEAT_URL",
      "Address of an outside service that rings when it is called no more; it is called every five minutes while the watch works.",
      {
        range: "an https URL of a public host",
        isAllowed: (url) => isHttpUrl(url) && url.startsWith("https:"),
      },
    ),
  },
};
