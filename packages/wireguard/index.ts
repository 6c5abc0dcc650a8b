export type { Address, Family, IndexRange, Pool } from "./addresses.ts";
export {
  addressAt,
  canonicalAllowedIp,
  canonicalInterfaceAddress,
  contains,
  formatAddress,
  formatPool,
  GATEWAY_INDEX,
  indexOf,
  parseAddress,
  parsePool,
  size,
  usableIndexes,
} from "./addresses.ts";
export type { Endpoint, TunnelConfig } from "./config.ts";
export { formatEndpoint, parseConfig, parseEndpoint, renderConfig } from "./config.ts";
export type { AgreementBinding } from "./derived-keys.ts";
export { agreedPresharedKey, createPresharedKeys } from "./derived-keys.ts";
export type { FillRandom, KeyPair, PresharedKey, PrivateKey, PublicKey } from "./keys.ts";
export {
  decodeKey,
  encodeKey,
  generateKeyPair,
  generatePresharedKey,
  keyPairOf,
  LOW_ORDER_POINTS,
  parsePresharedKey,
  parsePrivateKey,
  parsePublicKey,
  publicKeyOf,
} from "./keys.ts";
export type { Peer } from "./peer.ts";
export { QR_BORDER_MODULES, QR_BOX_PIXELS, QR_TEXT_BYTES_MAX, qrMatrix, qrSvg, qrSvgDataUrl } from "./qr.ts";
export type { Transfer, WgInterface } from "./show.ts";
export {
  parseAllowedIps,
  parseEndpointPresence,
  parseLatestHandshakes,
  parsePresharedKeys,
  parseTransfer,
  renderPeers,
} from "./show.ts";
export { configFileName, TUNNEL_NAME_CHARACTERS_MAX, tunnelName } from "./tunnel-name.ts";
