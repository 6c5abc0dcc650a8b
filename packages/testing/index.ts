export { type Authenticator, addAuthenticator } from "./authenticator.ts";
export {
  type Browser,
  type BrowserOptions,
  browserRequirements,
  decodeQr,
  openBrowser,
  screenshot,
} from "./browser.ts";
export { type EventuallyOptions, eventually } from "./eventually.ts";
export { type CurlAnswer, curl, ping, serveHttp, urlHost, type WebServer } from "./lab-traffic.ts";
export { latestMail, type MailServer, openMailServer, type ReceivedMail, readOutbox } from "./mail.ts";
export { extractLinks } from "./mail-text.ts";
export { setForwarding } from "./namespaces.ts";
export { createNetwork, type Link, type Network } from "./network.ts";
export {
  createNetworkLab,
  LAB_ADDRESSES,
  labRequirements,
  type NetworkLab,
  NODE_INTERFACES,
} from "./network-lab.ts";
export { forwardPort, type PortForward } from "./port-forward.ts";
export { freeTcpPort, freeUdpPort } from "./ports.ts";
export {
  type ExitStatus,
  type LinePattern,
  type ProcessOptions,
  type RunningProcess,
  startProcess,
} from "./processes.ts";
export { randomSuffix } from "./random-suffix.ts";
export { openTestRedis, redisRequirements, type TestRedis, type TestRedisOptions } from "./redis.ts";
export { type Needs, type Requirements, requirements } from "./requirements.ts";
export { type RunOptions, type RunResult, run, runOrThrow } from "./run.ts";
export { type TemporaryDir, temporaryDir } from "./temporary.ts";
export { connectWireGuard, type WireGuardClient } from "./wireguard-client.ts";
