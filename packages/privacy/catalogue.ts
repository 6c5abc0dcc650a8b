import { invariant } from "@securewave/foundation";
import { type Entry, entryOf, type Group, type Room } from "./entry.ts";
import { auditEntry, auditKinds } from "./rooms/audit.ts";
import { backupTables } from "./rooms/backups.ts";
import { breachTables } from "./rooms/breaches.ts";
import { browserItems } from "./rooms/browser.ts";
import { busTopics } from "./rooms/bus.ts";
import { defences } from "./rooms/defence.ts";
import { files } from "./rooms/files.ts";
import { jobs } from "./rooms/jobs.ts";
import { memories } from "./rooms/live.ts";
import { logEvents, logs } from "./rooms/logs.ts";
import { mails } from "./rooms/mails.ts";
import { metrics, processMetrics } from "./rooms/metrics.ts";
import { networkTables } from "./rooms/network.ts";
import { outgoingCalls } from "./rooms/outgoing.ts";
import { peopleTables } from "./rooms/people.ts";
import { binaryFrames, eventStreams, nodeFrames } from "./rooms/protocol.ts";
import { queueTables } from "./rooms/queue.ts";
import { redisChannels, redisKeys } from "./rooms/redis.ts";
import { rightsTables } from "./rooms/rights.ts";
import { serviceTables } from "./rooms/service.ts";
import { statusTables } from "./rooms/status.ts";
import { traces } from "./rooms/traces.ts";
import { useTables } from "./rooms/use.ts";

/** Everything that the service keeps, holds for a while, or sends. */
export const groups: readonly Group[] = [
  ...peopleTables,
  ...networkTables,
  ...useTables,
  ...rightsTables,
  ...serviceTables,
  ...backupTables,
  ...breachTables,
  ...statusTables,
  ...queueTables,
  ...auditKinds,
  auditEntry,
  ...memories,
  ...defences,
  ...redisKeys,
  ...redisChannels,
  ...busTopics,
  ...jobs,
  ...mails,
  ...files,
  ...browserItems,
  ...nodeFrames,
  ...binaryFrames,
  ...eventStreams,
  ...outgoingCalls,
  ...logs,
  ...logEvents,
  ...metrics,
  ...processMetrics,
  ...traces,
];

export interface Catalogue {
  readonly groups: readonly Group[];
  of(room: Room): readonly Group[];
  find(room: Room, name: string): Group | undefined;
}

/** Makes a catalogue that can be asked; names are unique within a room. */
export function createCatalogue(all: readonly Group[]): Catalogue {
  const byRoom = new Map<Room, Map<string, Group>>();
  for (const group of all) {
    const room = byRoom.get(group.room) ?? new Map<string, Group>();
    byRoom.set(group.room, room);
    invariant(!room.has(group.name), `the catalogue lists ${group.room} ${group.name} once`);
    room.set(group.name, group);
  }
  return {
    groups: all,
    of: (room) => [...(byRoom.get(room)?.values() ?? [])],
    find: (room, name) => byRoom.get(room)?.get(name),
  };
}

export const catalogue = createCatalogue(groups);

/** What a column tells of whom, for the export of everything about somebody. Undefined for what is not listed. */
export function describeField(tableName: string, columnName: string): Entry | undefined {
  const group = catalogue.find("table", tableName);
  const field = group?.fields[columnName];
  return group && field && entryOf(group, columnName, field);
}
