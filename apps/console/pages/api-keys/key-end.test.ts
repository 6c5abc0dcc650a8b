import { expect, test } from "vitest";
import { endOf } from "./key-end.ts";

test("a key is shown as ended only after its last day, and as ending during its last week", () => {
  const today = "2026-03-28";
  expect(endOf({ expires_on: "2026-03-27" }, today)).toBe("ended");
  expect(endOf({ expires_on: "2026-03-28" }, today)).toBe("soon");
  expect(endOf({ expires_on: "2026-04-04" }, today)).toBe("soon");
  expect(endOf({ expires_on: "2026-04-05" }, today)).toBe("far");
});
