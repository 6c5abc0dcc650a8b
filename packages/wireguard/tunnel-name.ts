/** The kernel's IFNAMSIZ less its NUL, which the apps for Android and iOS keep to as well. */
export const TUNNEL_NAME_CHARACTERS_MAX = 15;

/** Names that Windows keeps for devices; its app refuses them. */
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * A tunnel name that every WireGuard app accepts, as near to the given name as that allows: letters, digits and
 * `_=+.-`, beginning and ending in a letter or digit, at most 15 characters.
 *
 * @see https://git.zx2c4.com/wireguard-android, `Tunnel.NAME_PATTERN`
 */
export function tunnelName(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^a-zA-Z0-9_=+.-]+/g, "-")
    .replace(/^[^a-zA-Z0-9]+/, "")
    .slice(0, TUNNEL_NAME_CHARACTERS_MAX)
    .replace(/[^a-zA-Z0-9]+$/, "");
  if (plain === "") return "securewave";
  return WINDOWS_DEVICE.test(plain) ? `vpn-${plain}`.slice(0, TUNNEL_NAME_CHARACTERS_MAX) : plain;
}

/** The file name under which an app imports a configuration; the app takes the tunnel's name from it. */
export function configFileName(name: string): string {
  return `${tunnelName(name)}.conf`;
}
