import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { Client } from "@securewave/contracts";
import { given } from "./call.ts";
import { usageError } from "./failure.ts";
import { BY_NAME, resolveServer } from "./resolve.ts";

export const SERVER_TO_USE = `server to use: ${BY_NAME}`;
export const regionOption = () => new Option("-r, --region <region>", "the best server of this region");
export const countryOption = () =>
  new Option("--country <country>", "where one is, as DE: near servers come first; it is not kept").argParser(
    country,
  );

function country(text: string): string {
  if (!/^[A-Za-z]{2}$/.test(text))
    throw new InvalidArgumentError("Two letters of ISO 3166-1 are wanted, such as DE or US.");
  return text.toUpperCase();
}

/** What the options above say, as the API takes it. */
export async function placeOf(
  api: Client,
  { server, region, country }: Readonly<Record<"server" | "region" | "country", string | undefined>>,
) {
  if (server === undefined) return given({ region, country });
  if (region !== undefined || country !== undefined)
    throw usageError("Name a server, or a region and a country, not both.");
  return { server_id: await resolveServer(api, server) };
}
