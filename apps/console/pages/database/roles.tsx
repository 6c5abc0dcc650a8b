import { useQuery } from "@tanstack/react-query";
import { CommandBlock } from "../../components/copy.tsx";
import { ErrorState, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { Notice, StateBadge } from "../../components/state.tsx";
import { plural } from "../../format.ts";
import { rolesQuery } from "./queries.ts";
import { differenceText, loginOf } from "./words.ts";

export function Roles() {
  const { data, isPending, isError, error, refetch } = useQuery(rolesQuery);
  return (
    <div className="grid gap-4">
      {isPending && <SkeletonRows label="Loading roles" count={3} />}
      {isError && !data && <ErrorState error={error} onRetry={refetch} />}
      {data && data.differences.length > 0 && (
        <Notice tone="warn" title="Rights are not as they are to be">
          <ul className="grid gap-1">
            {data.differences.map((difference) => (
              <li key={differenceText(difference)} className="break-words">
                {differenceText(difference)}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {data && (
        <Rows label="Roles">
          {data.items.map((role) => (
            <Row
              key={role.name}
              title={<span className="font-mono text-sm">{role.name}</span>}
              detail={`${role.purpose}; rights to ${role.rights.length === 0 ? "no table" : plural(role.rights.length, "table")}`}
              actions={<StateBadge tone={loginOf(role).tone}>{loginOf(role).word}</StateBadge>}
            />
          ))}
        </Rows>
      )}
      {data?.items.some(({ is_present }) => !is_present) && (
        <CommandBlock label="Makes the roles on a PostgreSQL of yours" command={data.sql.trimEnd()} />
      )}
    </div>
  );
}
