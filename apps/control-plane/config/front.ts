import { integer, list, oneOf, optionalText, text } from "@securewave/foundation/settings";
import {
  isOrigin,
  parseHostPattern,
  parseListPlace,
  parseNetwork,
  parseOriginPattern,
  parseWord,
} from "../setting-texts.ts";

/** What stands in front of every request. */
export const frontSettings = {
  maintenanceMode: oneOf(
    "MAINTENANCE_MODE",
    "What customers may do: everything, look and change nothing, or nothing. Staff are let in and tunnels go on; staff can also switch it while the service runs.",
    ["off", "read-only", "closed"],
    { default: "off" },
  ),
  http: {
    host: text("API_HOST", "Address that the API and the console listen on.", {
      range: "a host name or address",
      parse: parseWord,
      default: "0.0.0.0",
    }),
    port: integer("API_PORT", "Port of the API and the console.", { default: 8000, min: 1, max: 65535 }),
    publicUrl: optionalText(
      "PUBLIC_URL",
      "Where people reach the console; stands in mails. Without it, http://localhost and the port.",
      {
        range: "an http or https URL without a path",
        isAllowed: isOrigin,
      },
    ),
    requestBytesMax: integer("MAX_REQUEST_SIZE", "Largest body of a request, in bytes.", {
      default: 10_485_760,
      min: 1024,
      max: 104_857_600,
    }),
    requestTimeoutSeconds: integer("REQUEST_TIMEOUT_SECONDS", "A request that takes longer is given up.", {
      default: 30,
      min: 1,
      max: 600,
    }),
    corsOrigins: list("API_CORS_ORIGINS", "Origins of other sites whose pages may call the API.", {
      range: "origins such as https://app.example.org or https://*.example.org",
      parse: parseOriginPattern,
    }),
    trustedHosts: list(
      "API_TRUSTED_HOSTS",
      "Hosts that requests may be addressed to; any where none is given.",
      {
        range: "host names, `*.` for all below, or addresses",
        parse: parseHostPattern,
      },
    ),
    trustedProxies: list("TRUSTED_PROXIES", "Proxies that are believed where a request comes from.", {
      range: "addresses or networks in CIDR form",
      parse: parseNetwork,
    }),
    countryHeader: optionalText(
      "COUNTRY_HEADER",
      "Header by which a trusted proxy says from which country a request comes, as `CF-IPCountry`: it chooses the server of a new device, and is kept nowhere. Without it, only the country that a request names counts.",
      { range: "the name of a header", isAllowed: (name) => /^[A-Za-z0-9-]+$/.test(name) },
    ),
  },
  limits: {
    globalPerMinute: integer("RATE_LIMIT_GLOBAL", "Requests a minute, all together.", {
      default: 10_000,
      min: 1,
      max: 100_000_000,
    }),
    originPerMinute: integer("RATE_LIMIT_IP", "Requests a minute from one origin.", {
      default: 100,
      min: 1,
      max: 1_000_000,
    }),
    userPerMinute: integer("RATE_LIMIT_USER", "Requests a minute of one account.", {
      default: 1000,
      min: 1,
      max: 1_000_000,
    }),
    sensitivePerMinute: integer(
      "RATE_LIMIT_SENSITIVE",
      "Requests a minute of one account or origin to a route that checks a secret or sends a mail.",
      { default: 20, min: 1, max: 1_000_000 },
    ),
    failedLogInsMax: integer(
      "AUTO_BLOCK_FAILED_LOGINS",
      "Failed log-ins in five minutes after which an origin is blocked.",
      { default: 10, min: 1, max: 1_000_000 },
    ),
    attackPerMinute: integer(
      "CHALLENGE_FAILED_LOGINS",
      "Failed log-ins a minute, all together, from which on everybody must do a proof of work to log in.",
      { default: 60, min: 1, max: 1_000_000 },
    ),
    blockThreshold: integer("AUTO_BLOCK_THRESHOLD", "Violations after which an origin is blocked.", {
      default: 50,
      min: 1,
      max: 1_000_000,
    }),
  },
  reputation: {
    blockLists: list("REPUTATION_BLOCK_LISTS", "Lists of networks that are refused.", {
      range: "files or https URLs",
      parse: parseListPlace,
    }),
    allowLists: list(
      "REPUTATION_ALLOW_LISTS",
      "Lists of networks that are let in, whatever else lists them.",
      {
        range: "files or https URLs",
        parse: parseListPlace,
      },
    ),
  },
  metrics: {
    host: text("METRICS_HOST", "Address that the Prometheus metrics listen on.", {
      range: "a host name or address",
      parse: parseWord,
      default: "127.0.0.1",
    }),
    port: integer("METRICS_PORT", "Port of the Prometheus metrics.", { default: 9100, min: 1, max: 65535 }),
  },
};
