import { setTimeout as pause } from "node:timers/promises";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
const { openFleet } = await import("./fleet-scene.ts");
const { cpuMs, processTree } = await import("./process-cost.ts");
const { steadyMs } = await import("./statistics.ts");
const scene = await openFleet({ nodes: 500, devicesEach: 200 }, console.error);
await scene.nextCustomer();
for (let k = 0; k < 2; k++) {
await scene.service.kill();
const back = scene.agents.nextSync();
const r = await scene.service.startAgain();
const pid = scene.service.process.pid;
let over = false; let n = 0; let slow: string[] = [];
const callers = [0, 1].map(async () => { while (!over) { await pause(10); const c = scene.agents.connected(); if (!c.length) continue; const a = steadyMs();
  const { publicKey } = generateKeyPair();
  try { await scene.service.http.call("POST", "/api/vpn/devices", (await scene.nextCustomer()).token, { name: publicKey.slice(0, 16), type: "phone", public_key: publicKey, server_id: c[Math.floor(Math.random() * c.length)] });
  const b = steadyMs(); const d = await scene.agents.arrivalOf(publicKey); n++; if (d - b > 100 || b - a > 500) slow.push(`${((a - r.listeningMs)/1000).toFixed(1)}s: api ${(b-a).toFixed(0)} arrive ${(d-b).toFixed(0)}`);
  } catch (e) { slow.push(String(e).slice(0, 150)); } } });
const t = setInterval(() => console.error(((steadyMs() - r.listeningMs)/1000).toFixed(1), "cp", cpuMs([pid]), "all", cpuMs(processTree(pid)), "conn", scene.agents.connected().length, "changes", n), 1000);
const times = (await back).map((ms) => ms - r.listeningMs).sort((a, b) => a - b);
over = true; await Promise.all(callers);
clearInterval(t);
console.error("start", r.listeningMs - r.startedMs, "sync p50", times[250], "p90", times[450], "p99", times[495], "max", times[499]);
console.error("cp", cpuMs([pid]), "all", cpuMs(processTree(pid)), "changes", n, slow.join("\n"));
console.error(await scene.countInSync());
}
await scene.close();
