import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { SlaReport } from "./report.ts";

export function mountSla(mount: Mount, sla: Pick<SlaReport, "month" | "series">): void {
  mount(api.sla.month, ({ query }) => sla.month(query.month));
  mount(api.sla.series, ({ query }) => sla.series(query.period ?? "quarter"));
}
