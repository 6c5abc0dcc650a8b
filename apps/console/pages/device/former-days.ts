import type { Device } from "@securewave/contracts";

/** The last day on which a config with a former key works; undefined when there is none. */
export function formerKeyUntil({ retiring, public_key }: Device): string | undefined {
  return lastDay(retiring.filter((former) => former.public_key !== public_key));
}

/** The last day on which the config for a server that the device was moved away from works. */
export function formerServerUntil({ retiring }: Device, serverId: string | undefined): string | undefined {
  return lastDay(retiring.filter(({ server }) => server?.id === serverId));
}

function lastDay(former: Device["retiring"]): string | undefined {
  return former
    .map(({ valid_until }) => valid_until)
    .toSorted()
    .at(-1);
}
