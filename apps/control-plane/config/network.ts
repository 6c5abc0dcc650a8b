import { integer, oneOf, optionalSecret, optionalText, text } from "@securewave/foundation/settings";
import type { Pool } from "@securewave/wireguard";
import { addressesOf, parseWord, poolOf, required } from "../setting-texts.ts";

/** What goes out: to nodes, to mailboxes, through tunnels. */
export const networkSettings = {
  nodeLineGbit: integer(
    "NODE_LINE_GBIT",
    "Gbit/s that the fastest node's line carries in one direction; who reports more is not believed.",
    { default: 100, min: 1, max: 10_000 },
  ),
  nodeProbes: oneOf(
    "NODE_PROBES",
    "Whether the service tries the tunnel of each node every 30 seconds, as a device would use it.",
    ["on", "off"],
    { default: "on" },
  ),
  mail: {
    smtpUrl: optionalSecret(
      "SMTP_URL",
      "Mail server. Without it mails are written into the outbox folder of DATA_DIR.",
      {
        range: "an smtp:// or smtps:// URL",
        isAllowed: (url) => /^smtps?:\/\/.+/.test(url),
      },
    ),
    from: text("MAIL_FROM", "Sender of mails.", {
      range: "a mail address, with or without a name",
      parse: (from) => (/^[^\r\n]*@[^\r\n]+$/.test(from) ? from : undefined),
      default: "SecureWave <no-reply@localhost>",
    }),
  },
  tunnels: {
    poolV4: text<Pool>("IP_POOL_V4", "Tunnel addresses of devices. It can grow later, not move.", {
      range: "an IPv4 network, /8 to /29",
      parse: (network) => poolOf(network, 4),
      default: required(poolOf("10.8.0.0/16", 4)),
      shownDefault: "10.8.0.0/16",
    }),
    poolV6: text<Pool>("IP_POOL_V6", "The same for IPv6.", {
      range: "an IPv6 network, at most /108",
      parse: (network) => poolOf(network, 6),
      default: required(poolOf("fd5e:c0de:8::/64", 6)),
      shownDefault: "fd5e:c0de:8::/64",
    }),
    dns: text<readonly string[]>(
      "CLIENT_DNS",
      "Resolvers that devices use through the tunnel; `none` to leave them out.",
      {
        range: "addresses with commas between, or none",
        parse: addressesOf,
        default: ["9.9.9.9", "2620:fe::fe"],
        shownDefault: "9.9.9.9, 2620:fe::fe",
      },
    ),
    mtu: integer("CLIENT_MTU", "Size of packets inside the tunnel, in bytes.", {
      default: 1420,
      min: 1280,
      max: 1500,
    }),
    keepaliveSeconds: integer(
      "CLIENT_KEEPALIVE_SECONDS",
      "Devices send this often through a NAT; 0 for never.",
      {
        default: 25,
        min: 0,
        max: 3600,
      },
    ),
  },
  keyLife: {
    rotationDays: integer(
      "DEFAULT_KEY_ROTATION_DAYS",
      "Days after which a device's key is due to be changed, where its owner says nothing else; 0 for never.",
      { default: 90, min: 0, max: 3650 },
    ),
    overlapDays: integer(
      "DEFAULT_KEY_ROTATION_OVERLAP_DAYS",
      "Days for which a device's former key works beside the new one.",
      { default: 7, min: 1, max: 90 },
    ),
  },
  localNode: {
    mode: oneOf(
      "LOCAL_NODE",
      "Whether this machine is a VPN server itself: `auto` where it can be.",
      ["auto", "off"],
      {
        default: "auto",
      },
    ),
    host: optionalText(
      "LOCAL_NODE_HOST",
      "Name or address by which devices reach this machine. Without it, its first address.",
      {
        range: "a host name or address",
        isAllowed: (host) => parseWord(host) !== undefined,
      },
    ),
    port: integer("LOCAL_NODE_PORT", "UDP port of the local node's WireGuard.", {
      default: 51820,
      min: 1,
      max: 65535,
    }),
    name: text("LOCAL_NODE_NAME", "Name of the local node; its WireGuard interface is named after it.", {
      range: "1 to 10 letters and digits",
      parse: (name) => (/^[a-z0-9]{1,10}$/i.test(name) ? name : undefined),
      default: "local",
    }),
  },
};
