import { createPublicKey, randomBytes, verify } from "node:crypto";
import { type PlaneFrame, renewalText } from "@securewave/contracts/node-protocol";
import type { Database, Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import type { Bus } from "../../bus.ts";
import type { Audit } from "../audit/index.ts";
import type { NodeRow } from "./node.ts";
import type { FrameOf } from "./state-sync.ts";
import * as store from "./store.ts";

/** @returns whether the node was known by the former credential until then, and another one was wanted of it */
export type TakeCredential = (nodeId: string, former: string, credential: string) => Promise<boolean>;

export interface RenewalOptions {
  readonly database: Database;
  readonly bus: Bus;
  readonly audit: Pick<Audit, "record">;
}

/** Gives nodes other credentials while their tunnels go on. */
export function createRenewal({ database, bus, audit }: RenewalOptions) {
  return {
    /**
     * Wants another credential of every node; those that are connected are asked at once, others when they come.
     *
     * @returns how many, and what tells all processes once the transaction has committed
     */
    async ask(trx: Kysely<Tables>) {
      const count = await store.askCredentials(trx);
      return { count, announce: () => bus.publish("registry-changed", "nodes") };
    },

    /** Ends the credentials of those that have made no other one; they join anew. */
    async endLate(trx: Kysely<Tables>, actor: string) {
      const ids = await store.endLateCredentials(trx);
      for (const subject of ids) await audit.record(trx, { kind: "node_credential_ended", actor, subject });
      return { count: ids.length, announce: () => bus.publish("registry-changed", "nodes") };
    },

    /** The names of nodes that have not made another one yet. */
    late: () => store.listLateNodes(database.db),

    take(nodeId: string, former: string, credential: string): Promise<boolean> {
      return database.transaction(async (trx) => {
        if (!(await store.renewCredential(trx, nodeId, former, credential))) return false;
        await audit.record(trx, { kind: "node_credential_renewed", actor: nodeId, subject: nodeId });
        return true;
      });
    },
  };
}

export interface RenewingOptions {
  readonly node: NodeRow;
  /** Whether its agent knows what it is asked. */
  readonly isAble: boolean;
  readonly take: TakeCredential | undefined;
  readonly tell: (frame: PlaneFrame) => void;
  /** Hears what the node did that it may not. */
  readonly onFailure: (fact: string) => void;
}

/** One connection's part in it. */
export function createRenewing({ node, isAble, take, tell, onFailure }: RenewingOptions) {
  let credential = node.credential;
  /** On its way into the registry. */
  let coming: string | undefined;
  let nonce: string | undefined;

  async function accept(publicKey: string): Promise<void> {
    const former = credential;
    if (former === null || take === undefined) return;
    coming = publicKey;
    try {
      if (!(await take(node.id, former, publicKey))) return;
      credential = publicKey;
    } finally {
      coming = undefined;
    }
    tell({ type: "renewed", public_key: publicKey });
  }

  return {
    /** By which the registry knows the node, as far as this connection does. */
    credential: () => credential,
    isKnownBy: (registered: string | null) =>
      registered === credential || (coming !== undefined && registered === coming),
    ask(): void {
      if (!isAble || take === undefined || nonce !== undefined) return;
      nonce = randomBytes(32).toString("base64url");
      tell({ type: "renew", nonce });
    },
    receive({ public_key, signature }: FrameOf<"credential">): void {
      const asked = nonce;
      nonce = undefined;
      if (asked === undefined) {
        onFailure("sent a credential that nobody asked for");
        return;
      }
      const text = Buffer.from(renewalText(node.id, asked, public_key));
      const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: public_key }, format: "jwk" });
      if (!verify(null, text, key, Buffer.from(signature, "base64url"))) {
        onFailure("sent a credential that it does not hold");
        return;
      }
      accept(public_key).catch(() => onFailure("could not be given another credential"));
    },
  };
}
