import { useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import { EmptyState, ErrorState, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { StateBadge } from "../../components/state.tsx";
import { settingsQuery } from "./queries.ts";
import { ABOUT_WORDS } from "./words.ts";

/** Those that are otherwise than advised. */
export function Settings() {
  const { data, isPending, isError, error, refetch } = useQuery(settingsQuery);
  if (isPending) return <SkeletonRows label="Loading settings" count={2} />;
  if (isError && !data) return <ErrorState error={error} onRetry={refetch} />;
  const unmet = data.items.filter(({ is_met }) => !is_met);
  if (unmet.length === 0)
    return (
      <EmptyState icon={CircleCheck} title="All settings are as advised">
        <code className="font-mono text-sm">securewave database settings --all</code> shows each, and why.
      </EmptyState>
    );
  return (
    <Rows label="Settings that are otherwise than advised">
      {unmet.map(({ name, about, value, wanted, why }) => (
        <Row
          key={name}
          title={<span className="break-all font-mono text-sm">{name}</span>}
          detail={
            <>
              <p className="break-words text-ink">
                {value === "" ? wanted : `It is ${value}; advised: ${wanted}`}
              </p>
              <p className="break-words">{why}</p>
            </>
          }
          actions={<StateBadge tone="warn">{ABOUT_WORDS[about]}</StateBadge>}
        />
      ))}
    </Rows>
  );
}
