import { useQuery } from "@tanstack/react-query";
import { ExternalLink, Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "../../components/button.tsx";
import { ErrorState, PageTitle, Section, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { StateBadge } from "../../components/state.tsx";
import { useIsAdmin } from "../../use-session.ts";
import { percentText } from "../sla/words.ts";
import { NewIncidentDialog } from "./incident-dialogs.tsx";
import { Incidents } from "./incidents.tsx";
import { Mode, Windows } from "./maintenance.tsx";
import { NewMaintenanceDialog } from "./maintenance-dialogs.tsx";
import { statusQuery } from "./queries.ts";
import { COMPONENT_STATES } from "./words.ts";

export function StatusPage() {
  const { data, isError, error, refetch } = useQuery(statusQuery);
  const isAdmin = useIsAdmin();
  const [adding, setAdding] = useState<"incident" | "maintenance" | undefined>();
  const components = data?.components ?? [];
  const close = () => setAdding(undefined);
  return (
    <>
      <PageTitle
        title="Status page"
        lead={
          <>
            What everybody reads at{" "}
            <a href="/status" className="inline-flex items-center gap-1 underline">
              /status <ExternalLink className="size-3.5" aria-hidden="true" />
            </a>
            .
          </>
        }
        actions={
          <>
            {isAdmin && <Button onClick={() => setAdding("maintenance")}>Announce maintenance</Button>}
            <Button tone="primary" icon={Plus} onClick={() => setAdding("incident")}>
              Post an incident
            </Button>
          </>
        }
      />
      <Section title="Parts" lead="As measured, and as open incidents say.">
        {isError && !data && <ErrorState error={error} onRetry={refetch} />}
        {!data && !isError && <SkeletonRows label="Loading parts" count={3} />}
        {components.length > 0 && (
          <Rows label="Parts of the service">
            {components.map(({ component, name, state, availability }) => (
              <Row
                key={component}
                title={name}
                detail={`${percentText(availability)} of what was measured in 90 days`}
                actions={
                  <StateBadge tone={COMPONENT_STATES[state].tone}>{COMPONENT_STATES[state].word}</StateBadge>
                }
              />
            ))}
          </Rows>
        )}
      </Section>
      <Section title="Incidents">
        <Incidents parts={components} />
      </Section>
      <Section title="Mode" lead="What customers may do at this moment.">
        <Mode />
      </Section>
      <Section title="Maintenance" lead="Announced ahead; its mode begins and ends by itself.">
        <Windows parts={components} />
      </Section>
      <NewIncidentDialog parts={components} isOpen={adding === "incident"} onClose={close} />
      <NewMaintenanceDialog parts={components} isOpen={adding === "maintenance"} onClose={close} />
    </>
  );
}
