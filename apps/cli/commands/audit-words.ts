import { counted } from "../human.ts";

export function countedEntries(count: number): string {
  return count === 1 ? counted(1, "entry") : `${count} entries`;
}

/** The time of an entry: a day, or an instant to the second. */
export function timeText(time: string): string {
  return time.replace("T", " ").replace("Z", "");
}
