import { type Group, NOBODYS } from "../entry.ts";
import { type Field, hash, text } from "../fields.ts";

function call(name: string, what: string, headers: Readonly<Record<string, Field>>): Group {
  return {
    room: "outgoing",
    name,
    what,
    class: "transport",
    ...NOBODYS,
    lifetime: "until it is answered",
    purpose: "to run the service with what the operator set up",
    fields: headers,
  };
}

/** Calls that our programs make of their own accord, and the headers that we set on them. None is about a person. */
export const outgoingCalls: readonly Group[] = [
  call("vault", "HashiCorp Vault, for secrets of the service", {
    accept: text("form of the answer"),
    "x-vault-request": text("`true`"),
    "x-vault-namespace": text("which part of Vault"),
    "x-vault-token": hash("our token"),
    "content-type": text("form of the body"),
    "content-length": text("its length"),
  }),
  call("reputation lists", "lists of networks that the operator named", {}),
  call(
    "alert heartbeat",
    "the outside service that the operator named, which rings when it is called no more",
    {},
  ),
  call("backup target", "the S3 or Azure storage that the operator named, with sealed backups", {}),
  call("teams", "the Teams workflow that the operator named, with alerts about the service", {
    "content-type": text("form of the body"),
  }),
  call("own certificate", "our own public address, to see when its certificate ends; nothing is sent", {}),
  call("traces", "the collector that the operator named; the exporter sets what OTLP over HTTP has", {}),
  call("node agent", "a node's connection to its control plane", {}),
  call(
    "agent's updates",
    "a node's control plane, for the agent that it has to give; nothing of the node is told",
    {},
  ),
  call("prober", "tunnels of our own nodes, as a device with a key of the service's own", {}),
  call("api", "our own service, from the console, the command line and a node that joins", {
    authorization: hash("the caller's token"),
    "content-type": text("form of the body"),
    "x-csrf-token": hash("random: shows that our own page asks"),
    "x-challenge-solution": text("a proof of work"),
  }),
];
