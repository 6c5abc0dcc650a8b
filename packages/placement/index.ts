export type { Alternative } from "./alternative.ts";
export { type Choice, chooseServer, type Offer, rank } from "./choose.ts";
export { placeOfCountry } from "./countries.ts";
export { createFleet, type Fleet } from "./fleet.ts";
export { type Coordinates, distanceKm, type Place, placeAt } from "./place.ts";
export { score } from "./score.ts";
export { loadOf, type Server, type ServerState, takesDevices } from "./server.ts";
export type { Wish } from "./wish.ts";
