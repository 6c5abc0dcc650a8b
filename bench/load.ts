import autocannon, { type Request, type Result } from "autocannon";
import type { Bench, Figure } from "./figure.ts";
import { openService } from "./service.ts";

const USERS = 1000;
/** Each user asks something about every two seconds. */
const REQUESTS_PER_SECOND = 500;
/** Of 1,000 people at work, so many log in at any moment. */
const LOG_INS_PER_SECOND = 3;

export const load: Bench = {
  name: "load",
  async measure({ isQuick, progress, report }) {
    progress(`load: ${USERS} users at once`);
    const seconds = isQuick ? 3 : 20;
    const service = await openService();
    try {
      const customers = [];
      for (let at = 0; at < (isQuick ? 3 : 10); at++) customers.push(await service.addCustomer());
      const paths = ["/api/vpn/devices", "/api/vpn/servers"];
      const requests: Request[] = customers.flatMap(({ token }) =>
        paths.map((path) => ({
          method: "GET" as const,
          path,
          headers: { authorization: `Bearer ${token}` },
        })),
      );
      const logInRequests = customers.map(
        (_, at): Request => ({
          method: "POST",
          path: "/api/auth/login",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ email: `customer${at}@example.org`, password: service.password }),
        }),
      );
      const [browsing, logIns] = await Promise.all([
        autocannon({
          url: service.url,
          connections: USERS,
          overallRate: REQUESTS_PER_SECOND,
          duration: seconds,
          requests,
        }),
        autocannon({
          url: service.url,
          connections: LOG_INS_PER_SECOND,
          overallRate: LOG_INS_PER_SECOND,
          duration: seconds,
          requests: logInRequests,
        }),
      ]);
      report(...figuresOf(browsing, logIns));
    } finally {
      await service.close();
    }
  },
};

function figuresOf(browsing: Result, logIns: Result): Figure[] {
  const errors = [browsing, logIns].reduce(
    (sum, { non2xx, errors, timeouts }) => sum + non2xx + errors + timeouts,
    0,
  );
  return [
    {
      id: "load.p95_ms_1000_users",
      value: browsing.latency.p97_5,
      unit: "ms",
      limit: 200,
      goal: "<=200",
      note: `p97.5 (so p95 is no more) of ${browsing.requests.total} requests for devices and servers by ${USERS} connections, p50 ${browsing.latency.p50} ms; limit: the documents' promise`,
    },
    {
      id: "load.login_p95_ms",
      value: logIns.latency.p97_5,
      unit: "ms",
      limit: null,
      goal: null,
      note: `p97.5 of ${logIns.requests.total} log-ins meanwhile, p50 ${logIns.latency.p50} ms: Argon2id is meant to be slow`,
    },
    {
      id: "load.errors",
      value: errors,
      unit: "",
      limit: 0,
      goal: "=0",
      note: "refused, failed and timed out, all together",
    },
  ];
}
