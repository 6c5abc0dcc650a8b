import { Readable } from "node:stream";
import { api } from "@securewave/contracts";
import { type Mount, SENT } from "../../http/mount.ts";
import type { Audit } from "./service.ts";

export function mountAudit(mount: Mount, audit: Audit): void {
  mount(api.audit.list, ({ query }) => audit.list(query, query));
  mount(api.audit.checkpoint, async () => {
    const { size, note } = await audit.sign();
    return { size, note, verifier_key: audit.verifierKey };
  });
  mount(api.audit.proof, ({ query }) => audit.prove(query.index));
  mount(api.audit.export, async ({ caller, reply }) => {
    const lines = await audit.export(caller.accountId);
    reply.header("content-disposition", 'attachment; filename="audit-trail.jsonl"');
    await reply.type("application/jsonl").send(Readable.from(lines));
    return SENT;
  });
}
