import type { AlertRule } from "../rule.ts";
import { gaugeRule } from "./gauge-rule.ts";

/** The VPN servers. */
export const nodeRules: readonly AlertRule[] = [
  gaugeRule("nodes", {
    name: "NodeOffline",
    severity: "critical",
    metric: "securewave_nodes_offline",
    above: 0,
    forMinutes: 3,
    summary: "A VPN server is not connected to the service",
    advice:
      "`securewave nodes list` names it; tunnels go on while its machine runs, changes do not reach it.",
  }),
  gaugeRule("nodes", {
    name: "NodeDegraded",
    severity: "warning",
    metric: "securewave_nodes_degraded",
    above: 0,
    forMinutes: 10,
    summary: "A VPN server is connected but not well",
    advice: "`securewave nodes health` says what it reports.",
  }),
  gaugeRule("nodes", {
    name: "NodeSilent",
    severity: "critical",
    metric: "securewave_nodes_silent",
    above: 0,
    forMinutes: 3,
    summary: "A VPN server's tunnels do not answer the service",
    advice: "Look at its firewall and UDP port, and at what its hoster says.",
  }),
  gaugeRule("nodes", {
    name: "NodeQuarantined",
    severity: "warning",
    metric: "securewave_nodes_quarantined",
    above: 0,
    forMinutes: 1,
    summary: "A VPN server reported what cannot be, and is not believed",
    advice: "See on its page why; trust it again once you know, or join it anew.",
  }),
];
