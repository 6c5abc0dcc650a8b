/** The outlines of the land in a scale of 1 : 110,000,000. @see https://github.com/topojson/world-atlas */
declare module "world-atlas/land-110m.json" {
  import type { GeometryCollection, Topology } from "topojson-specification";

  const topology: Topology<{ land: GeometryCollection }>;
  export default topology;
}
