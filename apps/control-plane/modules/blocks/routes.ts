import { api, type Block as BlockView, blockErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import type { Block, Blocklist } from "@securewave/sentinel/blocklist";
import type { Mount } from "../../http/mount.ts";
import { boundsOf, pageOf } from "../../http/paging.ts";
import type { Audit } from "../audit/index.ts";

/** Blocks are in memory only; what stands in the trail of them names no network. */
export function mountBlocks(mount: Mount, blocklist: Blocklist, audit: Audit, { db }: Database): void {
  mount(api.blocks.list, ({ query }) => {
    const bounds = boundsOf(query, ["integer", "text"]);
    const [since, lastId = ""] = bounds.after ?? [];
    // By its place in the order, for the block itself may be lifted meanwhile.
    const isLeft = (block: Block) =>
      since === undefined ||
      block.since < Number(since) ||
      (block.since === Number(since) && block.id > lastId);
    const left = blocklist.list().filter(isLeft);
    return pageOf(left.slice(0, bounds.rows), bounds, ({ since, id }) => [String(since), id], viewOf);
  });
  mount(api.blocks.add, async ({ caller, body, request }) => {
    if (blocklist.holds(body.network, request.origin.address)) throw blockErrors.wouldLockOut();
    const block = blocklist.add({ kind: "network", value: body.network, seconds: body.minutes * 60 });
    if (!block) throw blockErrors.wrongNetwork();
    const details = { reason: "staff", minutes: body.minutes };
    const act = { kind: "block_added", actor: caller.accountId, subject: block.id, details } as const;
    await audit.record(db, act).catch((error: unknown) => {
      blocklist.lift(block.id); // what stands in no trail is not done
      throw error;
    });
    return viewOf(block);
  });
  mount(api.blocks.lift, async ({ caller, params }) => {
    const block = blocklist.list().find(({ id }) => id === params.id);
    if (!block) throw blockErrors.notFound();
    const details = { reason: block.reason };
    await audit.record(db, { kind: "block_lifted", actor: caller.accountId, subject: block.id, details });
    blocklist.lift(block.id);
    return null;
  });
}

function viewOf({ id, kind, value, reason, since, until }: Block): BlockView {
  const instant = (ms: number) => new Date(ms).toISOString();
  return {
    id,
    kind: kind === "tag" ? "origin" : "network",
    origin: value,
    reason,
    since: instant(since),
    until: instant(until),
  };
}
