import type { Clock } from "@securewave/foundation";
import type { PrivateKey } from "@securewave/wireguard";
import type { Connect } from "./connection.ts";
import type { WireGuardDriver } from "./drivers/driver.ts";
import type { Health } from "./health.ts";
import type { HostSetup } from "./host.ts";
import type { Log } from "./log.ts";
import type { OwnKey } from "./own-key.ts";
import type { OpenScrubber } from "./scrubber.ts";
import type { Shaper } from "./shaping.ts";
import type { StateFile } from "./state-file.ts";
import type { TotalsFile } from "./totals-file.ts";

export interface AgentOptions {
  readonly driver: WireGuardDriver;
  readonly host: HostSetup;
  readonly connect: Connect;
  readonly stateFile: StateFile;
  /** Where totals outlive the agent; without it a restarted one counts from there on. */
  readonly totalsFile?: TotalsFile;
  /** Holds devices to their speeds; without it they are as fast as they can. */
  readonly shaper?: Pick<Shaper, "apply" | "change">;
  /** Makes peers anew that nobody uses any more; without it the node forgets nothing. */
  readonly scrubber?: OpenScrubber;
  /** Tells how the machine is; without it, idle. */
  readonly health?: Health;
  readonly interfaceName: string;
  readonly privateKey: PrivateKey;
  /** Stands in for the port that the control plane names, where both differ behind a port forwarding. */
  readonly listenPort?: number;
  /** Hears at each connection which agent the control plane has to give. */
  readonly onRelease?: (agentVersion: string) => void;
  /** Hears each time that the control plane speaks another version of the protocol. */
  readonly onOutdated?: () => void;
  /** Hears that the node was removed, once its tunnels are down and its state is gone. */
  readonly onRemoved?: () => void;
  /** The node's own key, which it makes anew when it is asked to; without it, it keeps the one it has. */
  readonly ownKey?: OwnKey;
  readonly clock?: Clock;
  /** Milliseconds of a clock that is never set. */
  readonly steadyMs?: () => number;
  readonly log?: Log;
  /** For tests; the control plane expects REPORT_INTERVAL_SECONDS. */
  readonly reportIntervalMs?: number;
}
