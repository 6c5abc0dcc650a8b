import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import {
  append,
  consistencyRanges,
  createRangeRoots,
  EMPTY_FRONTIER,
  type Entry,
  type EntryBody,
  formatVerifier,
  leafOf,
  rawPublicKey,
  rootOf,
  SALT_BYTES,
  signCheckpoint,
  writeTrail,
} from "@securewave/audit-trail";
import { type AuditEntry, type AuditKind, auditErrors } from "@securewave/contracts";
import { type FakeCall, pageOf } from "@securewave/contracts/testing/fake-call";

export type FakeTrail = ReturnType<typeof createFakeTrail>;

const ORIGIN = "vpn.example.org/audit";

/** A trail, written and signed as the service does it; with a key of its own, where it is given none. */
export function createFakeTrail(
  origin = ORIGIN,
  { privateKey }: { privateKey: KeyObject } = generateKeyPairSync("ed25519"),
) {
  const verifierKey = formatVerifier({ name: origin, publicKey: rawPublicKey(privateKey) });
  const entries: Entry[] = [];
  const checkpoints = new Map<number, string>();
  let frontier = EMPTY_FRONTIER;

  return {
    privateKey,
    verifierKey,
    entries,
    record(kind: AuditKind, body: Partial<EntryBody> = {}): void {
      const salt = randomBytes(SALT_BYTES);
      const whole = { kind, actor: "system", subject: "service", details: {}, time: "2026-11-20", ...body };
      const leaf = leafOf(entries.length, salt, whole);
      frontier = append(frontier, leaf);
      entries.push({
        index: entries.length,
        salt: salt.toString("base64"),
        body: whole,
        leaf: leaf.toString("base64"),
      });
    },
    /** Takes body and salt away, as archiving does. */
    erase(index: number): void {
      const { leaf } = entries[index] ?? { leaf: "" };
      entries[index] = { index, salt: null, body: null, leaf };
    },
    sign(): { size: number; note: string } {
      const { size } = frontier;
      const note = signCheckpoint({ origin, size, root: rootOf(frontier) }, privateKey);
      checkpoints.set(size, checkpoints.get(size) ?? note);
      return { size, note };
    },
    /** Its export from one entry to before another. */
    async text(from = 0, end = entries.length): Promise<string> {
      const leaves = entries.slice(0, from).map(({ leaf }) => Buffer.from(leaf, "base64"));
      const hashes = leaves.reduce(append, EMPTY_FRONTIER).hashes.map((hash) => hash.toString("base64"));
      const header = { origin, key: verifierKey, from, to: end - 1, size: entries.length, frontier: hashes };
      let text = "";
      for await (const piece of writeTrail(header, inOrder(entries.slice(from, end)), checkpoints))
        text += piece;
      return text;
    },
    /** That the trail continues what it was. */
    proveSince(size: number): string[] {
      const roots = createRangeRoots(consistencyRanges(size, entries.length));
      for (const { leaf } of entries) roots.add(Buffer.from(leaf, "base64"));
      return roots.roots().map((hash) => hash.toString("base64"));
    },
  };
}

async function* inOrder(entries: readonly Entry[]): AsyncGenerator<Entry> {
  yield* entries;
}

/** Three days of log-ins, each signed at its end, and what staff did on the last. */
export function fillTrail(trail: FakeTrail): FakeTrail {
  for (const day of ["2026-11-18", "2026-11-19", "2026-11-20"]) {
    for (let number = 0; number < 10; number++) {
      const account = `acc_${day.slice(-2)}${number}`;
      trail.record("login_succeeded", {
        actor: account,
        subject: account,
        details: { method: "password" },
        time: day,
      });
    }
    trail.sign();
  }
  trail.record("settings_changed", { details: { names: ["registration"] }, time: "2026-11-20T11:30:05Z" });
  return trail;
}

export interface FakeAudit {
  trail: FakeTrail;
  /** What the service says is its newest checkpoint, once somebody has changed the trail behind its back. */
  stuckAt: { size: number; note: string } | undefined;
  /** Sent in place of the export. */
  exportText: string | undefined;
  /** Characters of the export after which the connection breaks off, or nothing more comes. */
  breaksOffAfter: number | undefined;
  stallsAfter: number | undefined;
}

const audits = new WeakMap<object, FakeAudit>();

/** The audit trail of a fake service. */
export function auditOf(state: object): FakeAudit {
  const audit = audits.get(state) ?? {
    trail: fillTrail(createFakeTrail()),
    stuckAt: undefined,
    exportText: undefined,
    breaksOffAfter: undefined,
    stallsAfter: undefined,
  };
  audits.set(state, audit);
  return audit;
}

type Query = FakeCall["query"];

export function auditHandlers(state: object) {
  const sign = () => {
    const { trail, stuckAt } = auditOf(state);
    return stuckAt ?? trail.sign();
  };
  return {
    "audit.list": ({ query }: { readonly query: Query }) => {
      const found = auditOf(state)
        .trail.entries.filter((entry) => isWanted(entry, query))
        .map(({ index, leaf, body }) => ({ index, leaf, body }) as AuditEntry)
        .reverse();
      return pageOf(found, query);
    },
    "audit.checkpoint": ({ query: { since } }: { readonly query: Query }) => {
      const { trail } = auditOf(state);
      const signed = sign();
      const isProved = since !== undefined && Number(since) <= signed.size;
      const proof = isProved ? { consistency: trail.proveSince(Number(since)) } : {};
      return { ...signed, verifier_key: trail.verifierKey, ...proof };
    },
    "audit.export": ({ query: { from = 0 } }: { readonly query: Query }) => {
      sign();
      const { trail, exportText } = auditOf(state);
      if (Number(from) > 0 && Number(from) >= trail.entries.length) throw auditErrors.notFound();
      return exportText ?? trail.text(Number(from));
    },
  };
}

function isWanted({ body }: Entry, { kind, actor, subject, from, to, search }: Query): boolean {
  const equal = { kind, actor, subject };
  const day = body?.time.slice(0, 10) ?? "";
  return (
    Object.entries(equal).every(
      ([name, value]) => value === undefined || (body && Reflect.get(body, name) === value),
    ) &&
    (from === undefined || day >= String(from)) &&
    (to === undefined || (day !== "" && day <= String(to))) &&
    (search === undefined || JSON.stringify(body).includes(String(search)))
  );
}

/** Sends lines, up to where the connection is to break off. */
export function sendLines(response: ServerResponse, text: string, state: object): void {
  const { breaksOffAfter, stallsAfter } = auditOf(state);
  response.writeHead(200, { "content-type": "application/jsonl" });
  if (stallsAfter !== undefined) response.write(text.slice(0, stallsAfter));
  else if (breaksOffAfter === undefined) response.end(text);
  else response.write(text.slice(0, breaksOffAfter), () => response.destroy());
}
