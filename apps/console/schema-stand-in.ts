/**
 * Takes TypeBox's place in the built pages: the contracts build their schemas with it, but a page checks nothing by
 * them, the API does. It spares each visitor a dozen kilobytes.
 */
const schema = () => ({});

export const Type = new Proxy<Record<string, (argument: unknown) => unknown>>(
  // Contracts take single properties out of objects.
  { Object: (properties) => ({ properties }) },
  { get: (known, name) => known[String(name)] ?? schema },
);
