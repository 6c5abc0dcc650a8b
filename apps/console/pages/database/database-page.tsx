import { useQuery } from "@tanstack/react-query";
import { Advice } from "../../components/advice.tsx";
import { Card, ErrorState, PageTitle, Section, SkeletonRows } from "../../components/page.tsx";
import { Notice } from "../../components/state.tsx";
import { formatBytes, formatCount } from "../../format.ts";
import { Migrations } from "./migrations.tsx";
import { databaseQuery } from "./queries.ts";
import { Roles } from "./roles.tsx";
import { Settings } from "./settings.tsx";
import { SlowStatements } from "./slow-statements.tsx";
import { type DatabaseStatus, todoOf } from "./words.ts";

export function DatabasePage() {
  const { data, isPending, isError, error, refetch } = useQuery(databaseQuery);
  return (
    <>
      <PageTitle
        title="Database"
        lead="Who asks it, how far its schema is, and what is slow. None of it tells of a customer."
      />
      {isPending && <SkeletonRows label="Loading the database" count={2} />}
      {isError && !data && <ErrorState error={error} onRetry={refetch} />}
      {data && (
        <>
          <div className="mb-7">
            <Todo todo={todoOf(data)} />
          </div>
          <Section title="Connections" lead="Of the process that answered.">
            <Figures status={data} />
          </Section>
          <Section title="Roles" lead="Each kind of work has a login of its own, with the rights it needs.">
            <Roles />
          </Section>
          <Section title="Migrations" lead="How the schema came to be. Those that wait stand on top.">
            <Migrations />
          </Section>
          <Section title="Settings" lead="How PostgreSQL is set, held against what is advised.">
            <Settings />
          </Section>
          <Section
            title="Slow statements"
            lead="Forms without values and without times, since the process that answered was started."
          >
            <SlowStatements />
          </Section>
        </>
      )}
    </>
  );
}

function Todo({ todo }: { todo: readonly string[] }) {
  if (todo.length === 0)
    return (
      <Notice tone="good" title="All is as advised">
        Logins, rights, migrations and settings.
      </Notice>
    );
  return (
    <Notice tone="warn" title="Something is to be done">
      <ul className="grid gap-1">
        {todo.map((text) => (
          <li key={text}>
            <Advice text={text} />
          </li>
        ))}
      </ul>
    </Notice>
  );
}

function Figures({ status }: { status: DatabaseStatus }) {
  const { kind, version, megabytes, connections } = status;
  const figures = [
    ["PostgreSQL", version],
    ["Kind", kind === "embedded" ? "Embedded" : "Outside"],
    ["Size", formatBytes(megabytes * 1_000_000)],
    ["Connections open", formatCount(connections.open)],
    ["Idle of them", formatCount(connections.idle)],
    ["Callers waiting", formatCount(connections.waiting)],
  ];
  return (
    <Card>
      <dl className="figures grid grid-cols-2 gap-x-6 gap-y-4 sm:grid-cols-3">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt className="text-muted text-sm">{name}</dt>
            <dd className="break-words font-semibold text-lg">{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
