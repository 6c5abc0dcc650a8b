import { PassThrough } from "node:stream";
import { api, type QueryOf } from "@securewave/contracts";
import { qrSvg } from "@securewave/wireguard";
import { qrPng } from "@securewave/wireguard/qr-png";
import { configFileName } from "@securewave/wireguard/tunnel-name";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { CountryOf } from "../../http/country.ts";
import { type Mount, SENT } from "../../http/mount.ts";
import type { PlaceWish } from "../servers/index.ts";
import type { Devices } from "./service.ts";

/** Changes that come closer together are sent as one. */
const STREAM_EVERY_MS = 500;
/** A page that was suspended notices by this that it is cut off; proxies keep the connection open. */
const STREAM_BEAT_MS = 20_000;

export function mountDevices(mount: Mount, devices: Devices, countryOf: CountryOf): void {
  /** With the country that the request comes from, where it names none itself. */
  function wished<Body extends PlaceWish>(body: Body, request: FastifyRequest): Body {
    const country = body.country ?? countryOf(request);
    return country === undefined ? body : { ...body, country };
  }

  mount(api.devices.list, ({ caller, query }) => devices.list(caller.accountId, query));
  mount(api.devices.create, ({ caller, body, request }) =>
    devices.create(caller.accountId, wished(body, request)),
  );
  mount(api.devices.ensure, ({ caller, params, body, request }) =>
    devices.ensure(caller.accountId, { ...params, ...wished(body, request) }),
  );
  mount(api.devices.show, ({ caller, params }) => devices.show(caller.accountId, params.id));
  mount(api.devices.change, ({ caller, params, body }) => devices.change(caller.accountId, params.id, body));
  mount(api.devices.move, ({ caller, params, body, request }) =>
    devices.move(caller.accountId, params.id, wished(body, request)),
  );
  mount(api.devices.rotate, ({ caller, params, body }) => devices.rotate(caller.accountId, params.id, body));
  mount(api.devices.revoke, ({ caller, params }) => devices.revoke(caller.accountId, params.id));
  mount(api.devices.remove, async ({ caller, params }) => {
    await devices.remove(caller.accountId, params.id);
    return null;
  });
  mount(api.devices.config, async ({ caller, params, reply }) => {
    const { text, name } = await devices.config(caller.accountId, params.id);
    reply.header("content-disposition", `attachment; filename="${configFileName(name)}"`);
    return text;
  });
  mount(api.devices.qr, async ({ caller, params, query, reply }) => {
    const { text } = await devices.config(caller.accountId, params.id);
    await sendQr(reply, text, query.format ?? "svg");
    return SENT;
  });
  mount(api.devices.watch, async ({ caller, reply }) => {
    await stream(reply, await devices.watch(caller));
    return SENT;
  });
  mount(api.fleetDevices.list, ({ query }) => devices.listAll(query.account_id, query));
  mount(api.fleetDevices.revoke, async ({ params, caller }) => {
    await devices.revokeForStaff(params.id, caller.accountId);
    return null;
  });
  mount(api.fleetDevices.totals, () => devices.totals());
}

type QrFormat = NonNullable<QueryOf<typeof api.devices.qr>["format"]>;

function sendQr(reply: FastifyReply, config: string, format: QrFormat) {
  switch (format) {
    case "svg":
      return reply.type("image/svg+xml; charset=utf-8").send(qrSvg(config));
    case "png":
      return reply.type("image/png").send(Buffer.from(qrPng(config)));
    case "base64":
      return reply.type("text/plain; charset=utf-8").send(Buffer.from(qrPng(config)).toString("base64"));
  }
}

/** Server-sent events: all states at once, and again whenever one of them changes. */
function stream(reply: FastifyReply, source: Awaited<ReturnType<Devices["watch"]>>) {
  const body = new PassThrough();
  let last = "";
  let pending: NodeJS.Timeout | undefined;
  const send = () => {
    pending = undefined;
    const text = JSON.stringify(source.read());
    if (text === last || body.writableNeedDrain || body.writableEnded) return;
    last = text;
    body.write(`data: ${text}\n\n`);
  };
  const stop = source.subscribe(
    () => {
      pending ??= setTimeout(send, STREAM_EVERY_MS);
    },
    () => body.end(),
  );
  const beat = setInterval(() => {
    if (!body.writableEnded) body.write(": still here\n\n");
    send(); // a handshake's age grows without an event
  }, STREAM_BEAT_MS);
  reply.raw.on("close", () => body.destroy()); // an answer to HEAD leaves the body unread
  body.on("close", () => {
    stop();
    clearInterval(beat);
    clearTimeout(pending);
  });
  send();
  return reply.header("content-type", "text/event-stream").header("x-accel-buffering", "no").send(body);
}
