/** What stands among a manifest's counts beside rows by table. */
export const FIGURES = {
  /** The moment of which the counts are true, in milliseconds since 1970. */
  atMs: "@counted_at_ms",
  /** Over the configs of all devices, as `digestConfigs` has it. */
  configs: "@device_configs",
  devices: "@device_configs_count",
} as const;
