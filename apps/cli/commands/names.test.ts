import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();

test("names are written one a line, those with a beginning alone", async () => {
  expect((await service.run("names nodes")).stdout).toBe("FRA-1\nUS-East-1\nUS-West-1\n");
  expect((await service.run("names servers us-w")).stdout).toBe("US-West-1\n");
  expect((await service.run("names regions")).stdout).toBe("Frankfurt\nUnited States\n");
  expect((await service.run("names plans B --json")).json()).toEqual({ names: ["Basic"] });
  expect(await service.run("names devices")).toMatchObject({ code: 0, stdout: "" });
  expect((await service.run("names jobs back")).stdout).toBe("back-up\n");
  expect((await service.run("names alerts NodeO")).stdout).toBe("NodeOffline\n");
  expect((await service.run("names backups 20261120")).stdout).toMatch(/^20261120T021300Z-\w+$/m);
  expect((await service.run("names incidents")).code).toBe(0);
  expect((await service.run("names users")).code).toBe(2);
});
