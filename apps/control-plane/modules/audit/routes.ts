import { Readable } from "node:stream";
import { api } from "@securewave/contracts";
import { type Mount, SENT } from "../../http/mount.ts";
import type { Audit } from "./service.ts";

export function mountAudit(mount: Mount, audit: Audit): void {
  mount(api.audit.list, ({ query }) => audit.list(query, query));
  mount(api.audit.checkpoint, ({ query }) => audit.checkpoint(query.since));
  mount(api.audit.proof, ({ query }) => audit.prove(query.index));
  mount(api.audit.export, async ({ caller, query, reply }) => {
    const pieces = await audit.export(caller.accountId, query);
    reply.header("content-disposition", 'attachment; filename="audit-trail.jsonl"');
    await reply.type("application/jsonl").send(Readable.from(pieces));
    return SENT;
  });
}
