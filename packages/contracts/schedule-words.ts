const ORDINALS = new Intl.PluralRules("en", { type: "ordinal" });
const SUFFIXES: Readonly<Record<string, string>> = { one: "st", two: "nd", few: "rd", other: "th" };
const WEEKDAYS = [
  "Sundays",
  "Mondays",
  "Tuesdays",
  "Wednesdays",
  "Thursdays",
  "Fridays",
  "Saturdays",
  "Sundays",
];
const NUMBER = /^\d+$/;

/** A cron expression in words: `daily at 03:17 UTC`. What has no simple words stays as it is. */
export function scheduleWords(cron: string): string {
  const [minute = "", hour = "", day = "", month = "", weekday = "", ...rest] = cron.split(" ");
  if (rest.length > 0 || month !== "*") return cron;
  if (hour === "*" && day === "*" && weekday === "*") return withinHour(minute) ?? cron;
  if (!NUMBER.test(minute) || !NUMBER.test(hour)) return cron;
  const at = `at ${twoDigits(hour)}:${twoDigits(minute)} UTC`;
  if (day === "*" && weekday === "*") return `daily ${at}`;
  if (day === "*" && NUMBER.test(weekday)) return `on ${WEEKDAYS[Number(weekday)] ?? weekday} ${at}`;
  return NUMBER.test(day) && weekday === "*" ? `on the ${ordinal(Number(day))} of each month ${at}` : cron;
}

function withinHour(minute: string): string | undefined {
  if (minute === "*") return "every minute";
  const step = /^\*\/(\d+)$/.exec(minute)?.[1];
  if (step !== undefined) return `every ${step} minutes`;
  const minutes = minute.split(",");
  return minutes.every((each) => NUMBER.test(each))
    ? `hourly at ${minutes.map((each) => `:${twoDigits(each)}`).join(", ")}`
    : undefined;
}

function twoDigits(text: string): string {
  return text.padStart(2, "0");
}

function ordinal(number: number): string {
  return `${number}${SUFFIXES[ORDINALS.select(number)]}`;
}
