import type { ArchiveReceiver } from "@securewave/backup";
import { createManualClock, MINUTE_MS } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { expect, test } from "vitest";
import { createArchiving } from "./archiving.ts";

type State = ReturnType<ArchiveReceiver["state"]>;

const FOLLOWING: State = {
  timeline: 1,
  receivedTo: 200n,
  archivedTo: 200n,
  archivedAt: undefined,
  gap: undefined,
  isConnected: true,
  trouble: undefined,
};

/** A receiver that says what it is told to. */
async function follow(state: State) {
  const clock = createManualClock(Date.UTC(2026, 10, 22));
  const said = { state };
  const archiving = createArchiving({
    receive: async () => ({ state: () => said.state, flush: async () => {}, close: async () => {} }),
    clock,
    onTrouble: () => {},
    isElsewhere: () => false,
  });
  archiving.start();
  await eventually(() => expect(archiving.state().state).not.toBe("stopped"));
  return { archiving, clock, said };
}

test("a gap is a problem until a base is newer than it, and a later gap is one again", async () => {
  const { archiving, clock, said } = await follow({ ...FOLLOWING, gap: { from: 1n, to: 5n } });
  expect(archiving.state(clock.now() - MINUTE_MS).problem?.code).toBe("backup.archive_gap");
  clock.advanceSeconds(60);
  expect(archiving.state().problem?.code).toBe("backup.archive_gap"); // where there is no base at all
  expect(archiving.state(clock.now() - 30_000).problem).toBeUndefined();

  said.state = { ...FOLLOWING, gap: { from: 7n, to: 9n } };
  expect(archiving.state(clock.now() - 30_000).problem?.code).toBe("backup.archive_gap");
  await archiving.close();
});

test("a trouble that lasts is told once in ten minutes, and another one at once", async () => {
  const clock = createManualClock(Date.UTC(2026, 10, 22));
  const heard: unknown[] = [];
  let say = (_trouble: unknown) => {};
  const archiving = createArchiving({
    async receive(onTrouble) {
      say = onTrouble;
      return { state: () => FOLLOWING, flush: async () => {}, close: async () => {} };
    },
    clock,
    onTrouble: (error) => void heard.push(error),
    isElsewhere: () => false,
  });
  archiving.start();
  await eventually(() => expect(archiving.state().state).toBe("following"));
  const [away, full] = [new Error("away"), new Error("full")];
  for (let second = 0; second < 599; second++) {
    say(away);
    clock.advanceSeconds(1);
  }
  expect(heard).toEqual([away]);
  clock.advanceSeconds(1);
  say(away);
  say(full);
  expect(heard).toEqual([away, away, full]);
  await archiving.close();
});
