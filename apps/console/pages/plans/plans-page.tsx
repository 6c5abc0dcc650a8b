import type { Plan } from "@securewave/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { ErrorState, MoreButton, PageTitle, SkeletonRows } from "../../components/page.tsx";
import { Row, Rows } from "../../components/rows.tsx";
import { StateBadge } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { queryClient } from "../../queries.ts";
import { useIsAdmin } from "../../use-session.ts";
import { planLines } from "../usage/words.ts";
import { PlanDialog } from "./plan-dialog.tsx";
import { plansQuery } from "./queries.ts";

export function PlansPage() {
  const list = useInfiniteQuery(plansQuery);
  const plans = list.data?.pages.flatMap((page) => page.items) ?? [];
  const isAdmin = useIsAdmin();
  const [isAdding, setAdding] = useState(false);

  return (
    <>
      <PageTitle
        title="Plans"
        lead="What customers may use. Every account has one plan; the default is that of new accounts."
        actions={
          isAdmin ? (
            <Button tone="primary" icon={Plus} onClick={() => setAdding(true)}>
              Add plan
            </Button>
          ) : undefined
        }
      />
      {list.isPending && <SkeletonRows label="Loading plans" />}
      {list.isError && !list.data && <ErrorState error={list.error} onRetry={list.refetch} />}
      {plans.length > 0 && (
        <Rows label="Plans">
          {plans.map((plan) => (
            <PlanRow key={plan.id} plan={plan} isEditable={isAdmin} />
          ))}
        </Rows>
      )}
      <MoreButton list={list} />
      <PlanDialog isOpen={isAdding} onClose={() => setAdding(false)} />
    </>
  );
}

function linesOf(plan: Plan): readonly (readonly [term: string, text: string])[] {
  const { server_tags } = plan;
  if (server_tags.length === 0) return planLines(plan);
  return [...planLines(plan), ["Servers", `also those tagged ${server_tags.join(", ")}`]];
}

type Step = "change" | "default" | "retire" | "offer" | "remove";

function PlanRow({ plan, isEditable }: { plan: Plan; isEditable: boolean }) {
  const [step, setStep] = useState<Step>();
  const close = () => setStep(undefined);
  const params = { id: plan.id };

  async function done(act: Promise<unknown>, said: string): Promise<void> {
    await act;
    await queryClient.invalidateQueries({ queryKey: ["plans"] });
    notify(said);
  }
  const change = (body: { is_default?: boolean; is_retired?: boolean }, said: string) =>
    done(client.plans.change({ params, body }), said);

  const buttons: readonly (readonly [step: Step, label: string, isShown: boolean])[] = [
    ["change", "Change", true],
    ["default", "Make default", !plan.is_default && !plan.is_retired],
    ["retire", "Retire", !plan.is_default && !plan.is_retired],
    ["offer", "Offer again", plan.is_retired],
    ["remove", "Remove", !plan.is_default && !plan.is_used],
  ];

  return (
    <Row
      title={
        <>
          {plan.name}
          {plan.is_default && <StateBadge tone="good">Default</StateBadge>}
          {plan.is_retired && <StateBadge tone="still">Retired</StateBadge>}
        </>
      }
      detail={linesOf(plan)
        .map(([term, text]) => `${term}: ${text}`)
        .join(" · ")}
      actions={
        isEditable &&
        buttons
          .filter(([, , isShown]) => isShown)
          .map(([name, label]) => (
            <Button
              key={name}
              size="small"
              onClick={() => setStep(name)}
              aria-label={`${label}: ${plan.name}`}
            >
              {label}
            </Button>
          ))
      }
    >
      <PlanDialog isOpen={step === "change"} plan={plan} onClose={close} />
      <ConfirmDialog
        isOpen={step === "default"}
        title={`Give ${plan.name} to new accounts?`}
        confirmLabel="Make default"
        tone="primary"
        onClose={close}
        onConfirm={() => change({ is_default: true }, `New accounts get ${plan.name}.`)}
      >
        <p>Accounts that there are keep the plan that they have.</p>
      </ConfirmDialog>
      <ConfirmDialog
        isOpen={step === "retire" || step === "offer"}
        title={step === "retire" ? `Retire ${plan.name}?` : `Offer ${plan.name} again?`}
        confirmLabel={step === "retire" ? "Retire" : "Offer again"}
        tone="primary"
        onClose={close}
        onConfirm={() =>
          change(
            { is_retired: step === "retire" },
            step === "retire" ? `${plan.name} is given to nobody new.` : `${plan.name} can be given again.`,
          )
        }
      >
        <p>Who has it keeps it.</p>
      </ConfirmDialog>
      <ConfirmDialog
        isOpen={step === "remove"}
        title={`Remove ${plan.name}?`}
        confirmLabel="Remove"
        onClose={close}
        onConfirm={() => done(client.plans.remove({ params }), `${plan.name} is removed.`)}
      >
        <p>No account has this plan.</p>
      </ConfirmDialog>
    </Row>
  );
}
