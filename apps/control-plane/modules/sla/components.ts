const NAMES: Readonly<Record<string, string>> = {
  api: "API and console",
  "sign-up": "Sign-up",
  mail: "Mail",
};
const ORDER = Object.keys(NAMES);
const TUNNELS = "tunnels/";

/** The part of the service that a region's tunnels are. */
export function tunnelsIn(region: string): string {
  return TUNNELS + region;
}

/** Undefined for a part that is no region's tunnels. */
export function regionOf(component: string): string | undefined {
  return component.startsWith(TUNNELS) ? component.slice(TUNNELS.length) : undefined;
}

export function nameOf(component: string): string {
  const region = regionOf(component);
  return region === undefined ? (NAMES[component] ?? component) : `Tunnels: ${region}`;
}

/** What the service does for itself first, then regions by name. */
export function inOrder(components: Iterable<string>): string[] {
  const rank = (component: string) => {
    const at = ORDER.indexOf(component);
    return at === -1 ? ORDER.length : at;
  };
  return [...new Set(components)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
