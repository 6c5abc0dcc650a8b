import type { AlertRule } from "../rule.ts";
import { gaugeRule } from "./gauge-rule.ts";

/** The machine that the service runs on. */
export const machineRules: readonly AlertRule[] = [
  gaugeRule("machine", {
    name: "ProcessorBusy",
    severity: "warning",
    metric: "securewave_machine_cpu_share",
    above: 0.85,
    forMinutes: 10,
    summary: "The processors of the machine are busy for more than 85 % of the time",
    advice: "See which program it is; add a replica or a larger machine when it is the service.",
  }),
  gaugeRule("machine", {
    name: "MemoryShort",
    severity: "critical",
    metric: "securewave_machine_memory_share",
    above: 0.9,
    forMinutes: 5,
    summary: "More than 90 % of the machine's memory is in use",
    advice: "See which program it is before the kernel ends one; restart what grows without end.",
  }),
  gaugeRule("machine", {
    name: "DiskFilling",
    severity: "warning",
    metric: "securewave_disk_used_share",
    above: 0.85,
    forMinutes: 10,
    summary: "The disk below DATA_DIR is more than 85 % full",
    advice:
      "See what grows: logs, backups beside the data, or the write-ahead log behind a standby that is away.",
  }),
  gaugeRule("machine", {
    name: "DiskFull",
    severity: "critical",
    metric: "securewave_disk_used_share",
    above: 0.95,
    forMinutes: 2,
    summary: "The disk below DATA_DIR is more than 95 % full",
    advice: "Make room now: when it is full, PostgreSQL stops.",
  }),
  gaugeRule("machine", {
    name: "ClockOff",
    severity: "warning",
    metric: "securewave_clock_offset_seconds",
    above: 2,
    forMinutes: 5,
    summary:
      "The machine's clock and the database's are more than two seconds apart, or one of them was moved",
    advice: "See whether chrony or systemd-timesyncd runs on both machines.",
  }),
  gaugeRule("machine", {
    name: "CertificateExpiring",
    severity: "warning",
    metric: "securewave_certificate_days",
    below: 14,
    forMinutes: 15,
    summary: "The certificate of PUBLIC_URL ends within 14 days",
    advice: "See why it was not renewed: most programs do so 30 days ahead.",
  }),
  gaugeRule("machine", {
    name: "CertificateEnding",
    severity: "critical",
    metric: "securewave_certificate_days",
    below: 3,
    forMinutes: 5,
    summary: "The certificate of PUBLIC_URL ends within three days, or has ended",
    advice: "Renew it by hand now; browsers and clients refuse the service otherwise.",
  }),
];
