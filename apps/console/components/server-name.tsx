import type { Device } from "@securewave/contracts";

/** The server that a device uses, and where it stands. */
export function ServerName({ server }: { server: Device["server"] }) {
  if (server === null) return "On no server";
  return (
    <>
      {server.name}
      <span className="px-1.5" aria-hidden="true">
        ·
      </span>
      <span className="sr-only">, </span>
      {server.region}
    </>
  );
}
