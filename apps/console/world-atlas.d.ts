/** The outlines of the land in a scale of 1 : 110,000,000. @see https://github.com/topojson/world-atlas */
declare module "world-atlas/land-110m.json" {
  import type { feature } from "topojson-client";

  const topology: Parameters<typeof feature>[0];
  export default topology;
}
