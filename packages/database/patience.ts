import type pg from "pg";

const LIFTS = /\bstatement_timeout\b/i;
const ENDS_TRANSACTION = /^\s*(commit|rollback|end|abort)\b/i;

/**
 * Gives a connection up when one of its statements has no answer in time, so that who waits gets an error. PostgreSQL's
 * own `statement_timeout` ends neither the wait for a machine that is gone, nor that of a commit for a standby.
 *
 * What was to be committed may be so all the same. Whoever changes `statement_timeout` for longer work is left alone until
 * the end of the transaction, or for good where there is none.
 */
export function giveUpAfter(client: pg.ClientBase, patienceMs: number): void {
  const send = client.query.bind(client) as (...args: unknown[]) => unknown;
  let isLifted = false;

  function timed(...args: unknown[]): unknown {
    const text = textOf(args[0]);
    if (LIFTS.test(text)) isLifted = true;
    if (isLifted) {
      if (ENDS_TRANSACTION.test(text)) isLifted = false;
      return send(...args);
    }
    const timer = setTimeout(() => destroy(client), patienceMs);
    timer.unref();
    const over = () => clearTimeout(timer);
    const last = args.at(-1);
    if (typeof last === "function") {
      return send(...args.slice(0, -1), (...answer: unknown[]) => {
        over();
        last(...answer);
      });
    }
    const answer = send(...args);
    if (answer instanceof Promise) answer.then(over, over);
    else over(); // a query of a library that reads row by row
    return answer;
  }
  Object.assign(client, { query: timed });
}

function textOf(query: unknown): string {
  if (typeof query === "string") return query;
  return typeof query === "object" && query !== null && "text" in query ? String(query.text) : "";
}

/** Who is silent would not answer to a farewell either. */
function destroy(client: pg.ClientBase): void {
  if (!("connection" in client)) return;
  const { connection } = client;
  if (typeof connection !== "object" || connection === null || !("stream" in connection)) return;
  const { stream } = connection;
  if (typeof stream === "object" && stream !== null && "destroy" in stream) {
    (stream as { destroy(): void }).destroy();
  }
}
