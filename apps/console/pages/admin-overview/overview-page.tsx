import type { Node } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ButtonLink } from "../../components/button.tsx";
import { NodeMark } from "../../components/node-mark.tsx";
import { NODE_STATE_LOOKS, NodeStateBadge } from "../../components/node-state.tsx";
import { Card, ErrorState, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { ShareBar } from "../../components/share-bar.tsx";
import { StateBadge } from "../../components/state.tsx";
import { LIVE_STATES } from "../../fleet-filter.ts";
import { formatCount, plural } from "../../format.ts";
import { fleetQuery, healthQuery, totalsQuery } from "../../queries.ts";
import { healthDetailsQuery } from "../health/queries.ts";
import { countsOf, severityOf } from "../nodes/fleet.ts";

export function OverviewPage() {
  const totals = useQuery(totalsQuery);
  return (
    <>
      <PageTitle title="Overview" lead="Counts and ranges only: nothing here can be traced to a person." />
      {totals.isPending && <SkeletonRows label="Loading totals" count={2} />}
      {totals.isError && !totals.data && <ErrorState error={totals.error} onRetry={totals.refetch} />}
      {totals.data && <Totals totals={totals.data} />}
      <div className="mt-9 grid items-start gap-x-6 gap-y-9 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <NodesNow />
        <Health />
      </div>
    </>
  );
}

interface TotalsData {
  readonly accounts: number;
  readonly devices_active: number;
  readonly devices_revoked: number;
  readonly addresses_in_use: number;
  readonly addresses_total: number;
  readonly nodes: number;
  readonly nodes_healthy: number;
  readonly connected: string;
}

function Totals({ totals }: { totals: TotalsData }) {
  const allHealthy = totals.nodes_healthy === totals.nodes;
  return (
    <Card className="overflow-hidden">
      <dl className="-mt-px -ml-px grid grid-cols-2 *:border-line *:border-t *:border-l lg:grid-cols-4">
        <Total label="Connected now" note="as a range, on purpose">
          {totals.connected}
        </Total>
        <Total label="Devices" note={`and ${formatCount(totals.devices_revoked)} revoked`}>
          {formatCount(totals.devices_active)}
        </Total>
        <Total label="Accounts">{formatCount(totals.accounts)}</Total>
        <Total
          label="Nodes healthy"
          note={
            totals.nodes === 0 ? "add the first one" : allHealthy ? "all of them" : "look at the others below"
          }
        >
          {totals.nodes_healthy} <span className="font-normal text-base text-muted">of {totals.nodes}</span>
        </Total>
      </dl>
      <AddressMeter used={totals.addresses_in_use} total={totals.addresses_total} />
    </Card>
  );
}

function Total({ label, note, children }: { label: string; note?: string; children: ReactNode }) {
  return (
    <div className="p-5">
      <dt className="text-muted text-sm">{label}</dt>
      <dd className="figures mt-1 font-semibold text-xl">{children}</dd>
      {note !== undefined && <dd className="text-muted text-xs">{note}</dd>}
    </div>
  );
}

function AddressMeter({ used, total }: { used: number; total: number }) {
  const share = total === 0 ? 0 : used / total;
  return (
    <div className="grid gap-2 border-line border-t p-5 sm:grid-cols-[auto_minmax(0,1fr)_auto] sm:items-center sm:gap-5">
      <span className="text-muted text-sm">Tunnel addresses</span>
      <ShareBar share={share} warnsFrom={0.9} />
      <span className="figures text-sm">
        {formatCount(used)} of {formatCount(total)} in use
        <span className="text-muted"> ({(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %)</span>
      </span>
    </div>
  );
}

/** As many as one look takes in. */
const TROUBLED_MAX = 5;

function NodesNow() {
  const fleet = useQuery(fleetQuery());
  const nodes = fleet.data?.nodes ?? [];
  const counts = countsOf(nodes);
  const troubled = nodes
    .filter(({ state }) => state === "offline" || state === "degraded")
    .sort((one, other) => severityOf(one.state) - severityOf(other.state));
  return (
    <section>
      <div className="mb-3 flex items-baseline justify-between gap-4">
        <h2 className="font-semibold">Nodes</h2>
        <Link
          to="/admin/nodes"
          className="rounded-sm font-medium text-accent text-sm underline-offset-3 hover:underline"
        >
          Map and all nodes
        </Link>
      </div>
      {fleet.isPending && <SkeletonRows label="Loading nodes" count={2} />}
      {fleet.isError && !fleet.data && <ErrorState error={fleet.error} onRetry={fleet.refetch} />}
      {fleet.isSuccess && nodes.length === 0 && (
        <Card className="grid justify-items-start gap-4 p-5">
          <p className="text-muted">No node yet. Customers can add devices as soon as one has joined.</p>
          <ButtonLink to="/admin/nodes/new" tone="primary">
            Add a node
          </ButtonLink>
        </Card>
      )}
      {nodes.length > 0 && (
        <Card className="overflow-hidden">
          <ul className="flex flex-wrap gap-x-5 gap-y-1 p-5">
            {LIVE_STATES.toReversed()
              .filter((state) => counts[state] > 0)
              .map((state) => (
                <li key={state}>
                  <Link
                    to="/admin/nodes"
                    search={{ state }}
                    className="flex min-h-8 items-center gap-1.5 rounded-sm text-sm underline-offset-3 hover:underline"
                  >
                    <NodeMark state={state} />
                    <span className="figures font-semibold">{formatCount(counts[state])}</span>
                    {NODE_STATE_LOOKS[state].word.toLowerCase()}
                  </Link>
                </li>
              ))}
          </ul>
          {troubled.length === 0 && (
            <p className="border-line border-t p-5 text-muted">
              {plural(nodes.length, "node")}, none in trouble.
            </p>
          )}
          <ul>
            {troubled.slice(0, TROUBLED_MAX).map((node) => (
              <TroubledNode key={node.id} node={node} />
            ))}
          </ul>
          {troubled.length > TROUBLED_MAX && (
            <p className="border-line border-t px-5 py-3.5 text-muted text-sm">
              And {formatCount(troubled.length - TROUBLED_MAX)} more.
            </p>
          )}
        </Card>
      )}
    </section>
  );
}

function TroubledNode({ node }: { node: Node }) {
  return (
    <li className="border-line border-t p-5">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Link
          to="/admin/nodes/$id"
          params={{ id: node.id }}
          className="rounded-sm font-semibold underline-offset-3 hover:underline"
        >
          {node.name}
        </Link>
        <NodeStateBadge state={node.state} />
      </div>
      {node.problem !== null && <p className="mt-1.5 text-muted text-sm">{node.problem}</p>}
    </li>
  );
}

const FACTS = { database: "Database", redis: "Shared memory", vpn_servers: "VPN servers" } as const;

/** What each part that matters most says, and whatever else is in trouble. */
function Health() {
  const health = useQuery(healthQuery);
  const details = useQuery(healthDetailsQuery);
  if (!health.data) return null;
  const { checks } = health.data;
  const status = details.data?.status ?? health.data.status;
  const troubled = (details.data?.checks ?? []).filter(
    ({ state }) => state === "warning" || state === "failing",
  );
  const quiet = (["database", "redis", "vpn_servers"] as const).filter(
    (fact) => !troubled.some(({ id }) => id === fact),
  );
  return (
    <section>
      <div className="mb-3 flex items-baseline gap-3">
        <h2 className="font-semibold">Service</h2>
        <StateBadge tone={status === "healthy" ? "good" : status === "degraded" ? "warn" : "bad"}>
          <span className="capitalize">{status}</span>
        </StateBadge>
        <Link
          to="/admin/health"
          className="ml-auto rounded-sm font-medium text-accent text-sm underline-offset-3 hover:underline"
        >
          All parts
        </Link>
      </div>
      <Card className="px-5 py-2">
        <dl className="divide-y divide-line">
          {troubled.map(({ id, title, says }) => (
            <Fact key={id} title={title} says={says} />
          ))}
          {quiet.map((fact) => (
            <Fact key={fact} title={FACTS[fact]} says={checks[fact]} />
          ))}
        </dl>
      </Card>
    </section>
  );
}

function Fact({ title, says }: { title: string; says: string | undefined }) {
  return (
    <div className="flex justify-between gap-6 py-3 text-sm">
      <dt className="shrink-0 text-muted">{title}</dt>
      <dd className="text-right first-letter:uppercase">{says}</dd>
    </div>
  );
}
