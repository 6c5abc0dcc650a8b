import { type Clock, systemClock } from "@securewave/foundation";
import { fastify } from "fastify";
import {
  createBlocklist,
  createDayKeys,
  createHosts,
  createOrigins,
  createRateLimits,
  sentinel,
  trustedProxies,
} from "../index.ts";
import { serverLimits } from "../limits/index.ts";

/** A service with nothing behind it but this package. */
export function createApp(clock: Clock = systemClock) {
  const guard = { bodyBytesMax: 65_536, requestSeconds: 10 };
  const limits = createRateLimits({ clock });
  const blocklist = createBlocklist({ clock });
  const perOrigin = { name: "origin", limit: 20, windowSeconds: 60 };

  const app = fastify({ trustProxy: trustedProxies([]), ...serverLimits(guard) });
  app.register(
    sentinel({
      clock,
      originOf: createOrigins(createDayKeys(clock)),
      headers: { isSecure: false },
      limits: guard,
      hosts: createHosts(["localhost", "127.0.0.1"]),
      cors: { origins: ["https://panel.example.org"] },
      blocklist,
      rateLimit: {
        limits,
        policies: [{ policy: perOrigin, keyOf: ({ origin }) => origin.tag }],
        // Who goes on after a refusal is shut out.
        onRefused: (_policyName, { origin }) => blocklist.violated(origin.tag),
      },
    }),
  );
  app.get("/", () => ({ hello: "world" }));
  app.addHook("onClose", () => {
    limits.close();
    blocklist.close();
  });
  return app;
}

if (import.meta.main) await createApp().listen({ port: 8080, host: "127.0.0.1" });
