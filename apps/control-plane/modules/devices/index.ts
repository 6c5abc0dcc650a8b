export { gatewayAddresses, isProberAddressFree, openAddressPool, proberAddresses } from "./addresses.ts";
export { type ConfigDigest, digestConfigs } from "./config-digest.ts";
export { defineDrainJobs } from "./drain-jobs.ts";
export type { KeptPeer } from "./peers.ts";
export { mountDevices } from "./routes.ts";
export type { Devices } from "./service.ts";
export { createDevices } from "./service.ts";
export { createTunnels } from "./tunnel.ts";
export { defineKeyUpkeep } from "./upkeep.ts";
