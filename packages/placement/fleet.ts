import { invariant } from "@securewave/foundation";
import { type Place, placeAt } from "./place.ts";
import { fnv1a } from "./rendezvous.ts";
import { baseScore } from "./score.ts";
import { type Server, takesDevices } from "./server.ts";

/** Columns of what a choice reads of each server; the rows are dense, in no order. */
type Columns = {
  /** NaN when the server takes no devices. */
  base: Float64Array;
  /** Infinite when its place is not known: beyond every distance. */
  x: Float64Array;
  y: Float64Array;
  z: Float64Array;
  /** Numbers of its region and of its tags together. */
  region: Int32Array;
  tagSet: Int32Array;
  hash: Int32Array;
  secondHash: Int32Array;
};

/** Servers laid out so that one pass over ten thousand of them touches no object. */
export type Fleet = {
  readonly columns: Readonly<Columns>;
  /** By row. */
  readonly servers: readonly Server[];
  /** The different sets of tags, by number. */
  readonly tagSets: readonly (readonly string[])[];
  /** The number of a region; -1 when no server has ever been in it. */
  regionNumber(region: string): number;
  serverOfRow(row: number): Server;
  placeOfRow(row: number): Place | undefined;
  find(id: string): Server | undefined;
  /**
   * Adds a server, or replaces the one with its id; costs the same in a small fleet and in a large one.
   *
   * @throws RangeError when its coordinates are out of range; the fleet stays as it was
   */
  put(server: Server): void;
  /** Forgets a server; one that is not there is no error. */
  remove(id: string): void;
};

const ROWS_AT_FIRST = 64;

/** @throws RangeError when a server's coordinates are out of range */
export function createFleet(initial: Iterable<Server> = []): Fleet {
  let columns = emptyColumns(ROWS_AT_FIRST);
  const servers: Server[] = [];
  const rows = new Map<string, number>();
  const regions = new Map<string, number>();
  const tagSetNumbers = new Map<string, number>();
  const tagSets: (readonly string[])[] = [];

  function tagSetNumber(tags: readonly string[]): number {
    const sorted = [...new Set(tags)].sort();
    const key = JSON.stringify(sorted);
    const known = tagSetNumbers.get(key);
    if (known !== undefined) return known;
    tagSetNumbers.set(key, tagSets.length);
    return tagSets.push(sorted) - 1;
  }

  function put(server: Server): void {
    const place = server.coordinates && placeAt(server.coordinates);
    const row = rows.get(server.id) ?? servers.length;
    if (row === columns.base.length) columns = grown(columns);
    servers[row] = server;
    rows.set(server.id, row);
    if (!regions.has(server.region)) regions.set(server.region, regions.size);
    columns.base[row] = takesDevices(server) ? baseScore(server) : Number.NaN;
    columns.x[row] = place?.x ?? Number.POSITIVE_INFINITY;
    columns.y[row] = place?.y ?? Number.POSITIVE_INFINITY;
    columns.z[row] = place?.z ?? Number.POSITIVE_INFINITY;
    columns.region[row] = regions.get(server.region) ?? -1;
    columns.tagSet[row] = tagSetNumber(server.tags);
    columns.hash[row] = fnv1a(server.id);
    columns.secondHash[row] = fnv1a(server.id, columns.hash[row]);
  }

  function remove(id: string): void {
    const row = rows.get(id);
    if (row === undefined) return;
    rows.delete(id);
    const last = servers.pop();
    if (last === undefined || last.id === id) return;
    servers[row] = last;
    rows.set(last.id, row);
    for (const column of Object.values(columns)) column.copyWithin(row, servers.length, servers.length + 1);
  }

  for (const server of initial) put(server);
  return {
    get columns() {
      return columns;
    },
    servers,
    tagSets,
    regionNumber: (region) => regions.get(region) ?? -1,
    serverOfRow(row) {
      const server = servers[row];
      invariant(server !== undefined, "a row holds a server");
      return server;
    },
    placeOfRow(row) {
      const [x, y, z] = [columns.x[row], columns.y[row], columns.z[row]];
      if (x === undefined || y === undefined || z === undefined || !Number.isFinite(x)) return undefined;
      return { x, y, z };
    },
    find(id) {
      const row = rows.get(id);
      return row === undefined ? undefined : servers[row];
    },
    put,
    remove,
  };
}

function emptyColumns(rows: number): Columns {
  return {
    base: new Float64Array(rows),
    x: new Float64Array(rows),
    y: new Float64Array(rows),
    z: new Float64Array(rows),
    region: new Int32Array(rows),
    tagSet: new Int32Array(rows),
    hash: new Int32Array(rows),
    secondHash: new Int32Array(rows),
  };
}

function grown(old: Columns): Columns {
  const columns = emptyColumns(old.base.length * 2);
  columns.base.set(old.base);
  columns.x.set(old.x);
  columns.y.set(old.y);
  columns.z.set(old.z);
  columns.region.set(old.region);
  columns.tagSet.set(old.tagSet);
  columns.hash.set(old.hash);
  columns.secondHash.set(old.secondHash);
  return columns;
}
