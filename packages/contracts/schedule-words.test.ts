import { expect, test } from "vitest";
import { scheduleWords } from "./schedule-words.ts";

test.each([
  ["* * * * *", "every minute"],
  ["*/10 * * * *", "every 10 minutes"],
  ["5 * * * *", "hourly at :05"],
  ["2,17,32,47 * * * *", "hourly at :02, :17, :32, :47"],
  ["17 3 * * *", "daily at 03:17 UTC"],
  ["0 4 * * 1", "on Mondays at 04:00 UTC"],
  ["23 5 2 * *", "on the 2nd of each month at 05:23 UTC"],
  ["0 0 1 1 *", "0 0 1 1 *"],
  ["1-5 * * * *", "1-5 * * * *"],
])("%s is %s", (cron, words) => {
  expect(scheduleWords(cron)).toBe(words);
});
