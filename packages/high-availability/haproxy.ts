import type { ClusterPlan } from "./plan.ts";

/** What is answered while no replica of the control plane is there, in the form of its own answers. */
const AWAY = JSON.stringify({
  type: "about:blank",
  title: "The service is away for a moment.",
  status: 503,
  code: "service.away",
});

/**
 * HAProxy's configuration: one port for writes, which leads to whoever Patroni says leads, one for reads, and one for the
 * replicas of the control plane. It names no log, whose lines would hold customers' addresses.
 */
export function renderHaproxy(plan: ClusterPlan): string {
  const { host, writePort, readPort, apiPort } = plan.proxy;
  const database = plan.database.map(
    ({ name, host: at, port, restPort }) => `    server ${name} ${at}:${port} check port ${restPort}`,
  );
  const api = plan.api.map(({ name, host: at, port }) => `    server ${name} ${at}:${port} check`);
  return `global
    maxconn 4096

defaults
    mode tcp
    retries 2
    option redispatch 1
    timeout connect 2s
    timeout check 2s
    timeout queue 2s
    timeout client 1h
    timeout server 1h
    # Who was taken out is given up with all its connections: an answer that would never come is an error at once.
    default-server inter 1s fastinter 500ms downinter 500ms fall 3 rise 1 on-marked-down shutdown-sessions

listen database-write
    bind ${host}:${writePort}
    option httpchk OPTIONS /primary
    http-check expect status 200
${database.join("\n")}

listen database-read
    bind ${host}:${readPort}
    balance leastconn
    option httpchk OPTIONS /replica?lag=16MB
    http-check expect status 200
${database.join("\n")}

listen api
    mode http
    bind ${host}:${apiPort}
    balance leastconn
    option forwardfor
    timeout http-request 10s
    timeout server 60s
    timeout tunnel 1h
    # What may have been carried out is never sent a second time: only what reads, and what reached nobody.
    retry-on conn-failure empty-response response-timeout
    http-request disable-l7-retry unless METH_GET
    http-error status 503 content-type "application/problem+json" string '${AWAY}' hdr Retry-After 1
    # A replica whose database is away still answers, and says when to ask again.
    option httpchk
    http-check send meth GET uri /api/health/live ver HTTP/1.1 hdr Host 127.0.0.1
    http-check expect status 200
${api.join("\n")}
`;
}
