import { runOrThrow, type WireGuardClient } from "@securewave/testing";

/** What WireGuard counts at one end, in bytes. */
export interface Counters {
  readonly received: number;
  readonly sent: number;
}

export const NONE: Counters = { received: 0, sent: 0 };

export function plus(one: Counters = NONE, other: Counters = NONE): Counters {
  return { received: one.received + other.received, sent: one.sent + other.sent };
}

export function most(one: Counters = NONE, other: Counters = NONE): Counters {
  return bytesOf(one) > bytesOf(other) ? one : other;
}

export function bytesOf({ received, sent }: Counters = NONE): number {
  return received + sent;
}

/** What `wg show … transfer` says, by key. */
export async function transferOf(namespace: string, interfaceName: string): Promise<Map<string, Counters>> {
  const { stdout } = await runOrThrow("wg", ["show", interfaceName, "transfer"], { namespace });
  const lines = stdout.split("\n").filter(Boolean);
  return new Map(
    lines.map((line) => {
      const [key = "", received, sent] = line.split("\t");
      return [key, { received: Number(received), sent: Number(sent) }];
    }),
  );
}

export async function countersOf({ namespace, interfaceName }: WireGuardClient): Promise<Counters> {
  const [counters] = (await transferOf(namespace, interfaceName)).values();
  return counters ?? NONE;
}
