export { inOrder, nameOf, regionOf, tunnelsIn } from "./components.ts";
export { createMeasuring } from "./measuring.ts";
export { addMinutes, availabilityOf } from "./minutes.ts";
export { createProbe } from "./probes.ts";
export { mountSla } from "./routes.ts";
export type { AnnouncedSpan, Sla } from "./service.ts";
export { createSla } from "./service.ts";
