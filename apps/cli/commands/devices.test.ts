import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { invariant } from "@securewave/foundation";
import { parseConfig, publicKeyOf, qrMatrix } from "@securewave/wireguard";
import { beforeEach, expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const stored = (name: string) => service.api().state.tunnels.devices.find((device) => device.name === name);
const file = (name: string) => join(service.home().dir, name);

beforeEach(() => {
  const { accounts, fleet, tunnels } = service.api().state;
  const [admin, ada] = accounts;
  const [east, west] = fleet.nodes;
  invariant(admin && ada && east && west, "the service has accounts and nodes");
  const laptop = tunnels.add(admin.id, "Laptop", east);
  laptop.connection = {
    ...laptop.connection,
    connected: true,
    handshake_age_seconds: 42,
    received_bytes: 1_530_000,
    sent_bytes: 900,
  };
  tunnels.add(ada.id, "Ada's phone", west);
});

test("one's own devices are listed with their connection", async () => {
  expect((await service.run("devices mine")).stdout).toBe(
    [
      "NAME    TYPE   STATE   SERVER     CONNECTION                     RECEIVED   SENT",
      "Laptop  phone  active  US-East-1  connected, handshake 42 s ago    1.5 MB  900 B",
      "",
      "1 device",
      "",
    ].join("\n"),
  );
  expect((await service.run("devices mine --json")).json()).toMatchObject({ items: [{ name: "Laptop" }] });
});

test("staff list the devices of all accounts, or of one", async () => {
  expect((await service.run("devices list")).stdout).toContain("2 devices");
  const { stdout } = await service.run("devices list --account ada@example.org");
  expect(stdout).toContain("Ada's phone");
  expect(stdout).not.toContain("Laptop");
  expect((await service.run("devices list --search lap --json")).json()).toMatchObject({
    items: [{ name: "Laptop" }],
  });
});

test("a device is shown with its tunnel", async () => {
  const { stdout } = await service.run("devices show lap");
  expect(stdout).toMatch(/Addresses\s+10\.8\.0\.\d+\/32, fd5e:c0de::[\da-f]+\/128\n/);
  expect((await service.run("devices show lap --json")).json()).toMatchObject({ tunnel: { mtu: 1420 } });
});

test("adding a device makes its keys here, and the private one goes into a file of its owner alone", async () => {
  const ran = await service.run(
    `devices add Phone --type phone --server us-w --out ${file("phone.conf")} --json`,
  );
  expect(ran.json()).toMatchObject({ config_path: file("phone.conf"), device: { key_origin: "customer" } });
  expect((await stat(file("phone.conf"))).mode & 0o777).toBe(0o600);
  const config = parseConfig(await readFile(file("phone.conf"), "utf8"));
  expect(config && publicKeyOf(config.privateKey)).toBe(stored("Phone")?.public_key);
  expect(config?.peer.endpoint).toEqual({ host: "us-west-1.securewave.example", port: 51820 });
  expect(JSON.stringify(ran.json())).not.toContain(config?.privateKey);
});

test("an existing file is never overwritten, and no device is then made", async () => {
  await writeFile(file("phone.conf"), "mine");
  const ran = await service.run(`devices add Phone --out ${file("phone.conf")}`);
  expect(ran.stderr).toContain("cli.file_exists");
  expect(stored("Phone")).toBeUndefined();
  expect(await readFile(file("phone.conf"), "utf8")).toBe("mine");
});

test("a refused device leaves no file behind", async () => {
  const ran = await service.run(`devices add Laptop --out ${file("laptop.conf")}`);
  expect(ran.stderr).toContain("devices.name_in_use");
  await expect(stat(file("laptop.conf"))).rejects.toThrow("ENOENT");
});

test("a configuration can go to standard output", async () => {
  const { stdout } = await service.run("devices add Phone --out -");
  expect(parseConfig(stdout)).toBeDefined();
  const inJson = await service.run("devices add Tablet --out - --json");
  expect(inJson.json()).toMatchObject({ config: expect.stringContaining("[Interface]") });
});

test("keys that the service made can be had again, as text, file and QR code", async () => {
  const added = await service.run("devices add Tablet --server-keys");
  expect(added.stdout).toContain('devices config "Tablet"');
  const { stdout } = await service.run("devices config Tablet");
  expect(parseConfig(stdout)).toBeDefined();
  expect((await service.run("devices config Tablet --json")).json()).toEqual({ config: stdout });
  expect((await service.run(`devices config Tablet --out ${file("t.conf")}`)).code).toBe(0);
  expect(await readFile(file("t.conf"), "utf8")).toBe(stdout);
  const modules = qrMatrix(stdout).map((row) => row.map((isDark) => (isDark ? "1" : "0")).join(""));
  expect((await service.run("devices qr Tablet --json")).json()).toEqual({ modules });
  expect((await service.run(`devices qr --file ${file("t.conf")} --json`)).json()).toEqual({ modules });
});

test("the drawn QR code has the modules of the configuration, with colours and without", async () => {
  await service.run(`devices add Phone --out ${file("phone.conf")}`);
  const wanted = qrMatrix(await readFile(file("phone.conf"), "utf8"));
  const dark = await service.run(`devices qr --file ${file("phone.conf")}`);
  expect(modulesOf(dark.stdout, false).slice(0, wanted.length)).toEqual(wanted);
  const coloured = await service.run(`devices qr --file ${file("phone.conf")}`, { terminal: 100 });
  const bare = stripVTControlCharacters(coloured.stdout);
  expect(modulesOf(bare, true).slice(0, wanted.length)).toEqual(wanted);
});

test("a terminal too narrow for the QR code is told so", async () => {
  await service.run(`devices add Phone --out ${file("phone.conf")}`);
  const ran = await service.run(`devices qr --file ${file("phone.conf")}`, { terminal: 40 });
  expect(ran.stderr).toContain("cli.terminal_too_narrow");
});

test("the configuration of keys that never left the device cannot be had", async () => {
  const ran = await service.run("devices config Laptop --json");
  expect(JSON.parse(ran.stderr).error).toMatchObject({
    code: "devices.private_key_not_held",
    next: expect.stringContaining("--file"),
  });
});

test("a QR code is drawn of a tunnel's configuration only", async () => {
  await writeFile(file("x.conf"), "PostUp = reboot");
  expect((await service.run(`devices qr --file ${file("x.conf")}`)).stderr).toContain("cli.not_a_tunnel");
  expect((await service.run("devices qr --file /nowhere")).stderr).toContain("cli.file_unreadable");
  expect((await service.run("devices qr")).code).toBe(2);
});

test("moving a device brings its file up to date and keeps its key", async () => {
  await service.run(`devices add Phone --server us-e --out ${file("phone.conf")}`);
  const before = parseConfig(await readFile(file("phone.conf"), "utf8"));
  const ran = await service.run(`devices move Phone --to us-w --file ${file("phone.conf")}`);
  expect(ran.stdout).toContain(
    "Phone is on US-West-1. The former configuration works until the end of 2026-11-21 (UTC).",
  );
  const after = parseConfig(await readFile(file("phone.conf"), "utf8"));
  expect(after?.privateKey).toBe(before?.privateKey);
  expect(after?.peer.endpoint.host).toBe("us-west-1.securewave.example");
  expect((await stat(file("phone.conf"))).mode & 0o777).toBe(0o600);
});

test("another device's file is not touched, and nothing is moved", async () => {
  await service.run(`devices add Phone --out ${file("phone.conf")}`);
  const ran = await service.run(`devices move Laptop US-West-1 --file ${file("phone.conf")}`);
  expect(ran.stderr).toContain("cli.other_device");
  expect(stored("Laptop")?.server?.name).toBe("US-East-1");
  expect((await service.run("devices move Laptop US-West-1 --json")).json()).toMatchObject({
    device: { server: { name: "US-West-1" } },
  });
});

test("the service chooses the best server of a region, and the nearest one to a country", async () => {
  const { fleet } = service.api().state;
  fleet.add("LON-1", "London", { latitude: 51.5, longitude: -0.1 });
  await service.run("devices move Laptop --region London");
  expect(stored("Laptop")?.server?.name).toBe("LON-1");
  await service.home().run(["devices", "move", "Laptop", "--region", "United States", "--country", "jp"]);
  expect(stored("Laptop")?.server?.name).toBe("US-West-1");
  await service.run(`devices add Phone --region London --out ${file("phone.conf")}`);
  expect(stored("Phone")?.server?.name).toBe("LON-1");
});

test("where a region has no server, the nearest other one is named", async () => {
  const ran = await service.run("devices move Laptop --region Frankfurt --country US");
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/nearest one is in United States.*devices\.region_unavailable/);
  expect(ran.stderr).toContain("servers best");
});

test("a server beyond the plan, or named twice, is refused with what to do", async () => {
  service.api().state.fleet.add("TV-1", "London", { tags: ["streaming"] });
  const refused = await service.run("devices move Laptop --to TV-1");
  expect(refused.stderr).toContain("devices.server_not_included");
  expect(refused.stderr).toContain("servers list");
  for (const line of [
    "devices move Laptop TV-1 --to TV-1",
    "devices move Laptop --to TV-1 --region London",
    "devices move Laptop --country Germany",
  ])
    expect([line, (await service.run(line)).code]).toEqual([line, 2]);
});

test("a device is renamed", async () => {
  const ran = await service.home().run(["devices", "rename", "Laptop", "Old laptop"]);
  expect(ran.stdout).toContain("Old laptop");
  expect(stored("Old laptop")).toBeDefined();
});

test("one's own device is revoked, and by staff also somebody else's", async () => {
  expect((await service.run("devices revoke Laptop")).code).toBe(2);
  expect((await service.run("devices revoke Laptop --yes")).stdout).toContain("Revoked");
  expect(stored("Laptop")?.state).toBe("revoked");
  const id = stored("Ada's phone")?.id;
  const ran = await service.home().run(["devices", "revoke", "ada", "--yes", "--json"]);
  expect(ran.json()).toEqual({ revoked: id });
  expect(stored("Ada's phone")?.state).toBe("revoked");
});

test("a customer reaches no device but the own ones, neither by name nor by id", async () => {
  await service.logIn("ada@example.org");
  for (const reference of ["Laptop", stored("Laptop")?.id]) {
    const ran = await service.run(`devices revoke ${reference} --yes --json`);
    expect(JSON.parse(ran.stderr).error.code).toBe("devices.not_found");
  }
  expect(stored("Laptop")?.state).toBe("active");
});

test("a device is removed", async () => {
  expect((await service.run("devices remove Laptop", { terminal: 80, stdin: "yes" })).stdout).toContain(
    "Removed",
  );
  expect(stored("Laptop")).toBeUndefined();
  expect((await service.run("devices mine")).stdout).toContain("devices add");
});

/** Reads a drawn code back; `isInkDark` where characters stand for dark modules. */
function modulesOf(text: string, isInkDark: boolean): boolean[][] {
  return text
    .replace(/\n$/, "")
    .split("\n")
    .flatMap((line) => {
      const cells = [...line];
      const upper = cells.map((cell) => (cell === "█" || cell === "▀") === isInkDark);
      const lower = cells.map((cell) => (cell === "█" || cell === "▄") === isInkDark);
      return [upper, lower];
    });
}
