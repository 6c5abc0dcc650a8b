/**
 * Calls `end` each time that this program is asked to end, and when nobody is left to tell anything to: whoever started
 * it with a channel is gone, or reads no more.
 */
export function whenAskedToEnd(end: () => void): void {
  for (const event of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"] as const) process.on(event, end);
  process.stdout.on("error", end);
  process.channel?.unref(); // a channel that is listened to would keep the program alive
}
