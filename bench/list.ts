import { addresses } from "./addresses.ts";
import { alerts } from "./alerts.ts";
import { backup } from "./backup.ts";
import { config } from "./config.ts";
import { devices } from "./devices.ts";
import { drill } from "./drill.ts";
import { failover } from "./failover.ts";
import type { Bench } from "./figure.ts";
import { fleet } from "./fleet.ts";
import { load } from "./load.ts";
import { migrate } from "./migrate.ts";
import { node } from "./node.ts";
import { placement } from "./placement.ts";
import { probe } from "./probe.ts";
import { qr } from "./qr.ts";
import { sentinel } from "./sentinel.ts";
import { speed } from "./speed.ts";
import { start } from "./start.ts";
import { usage } from "./usage.ts";
import { zeroLog } from "./zero-log.ts";

/** All benchmarks, in the order of running: those that load the shared scene most come last. */
export const BENCHES: readonly Bench[] = [
  qr,
  placement,
  probe,
  addresses,
  alerts,
  migrate,
  sentinel,
  load,
  start,
  config,
  usage,
  fleet,
  devices,
  node,
  speed,
  zeroLog,
  backup,
  failover,
  drill,
];
