import { type Node, nodeErrors } from "@securewave/contracts";
import { useRouter } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { TextField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { Section } from "../../components/page.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay, plural } from "../../format.ts";
import { isRefusal, PageError } from "../../problems.ts";
import { refreshNodes } from "./refresh.ts";

export function Remove({ node }: { node: Node }) {
  const router = useRouter();
  const [isAsked, setAsked] = useState(false);
  /** It was refused since devices can still use it, which the page did not know. */
  const [wasStillUsed, setStillUsed] = useState(false);
  const isStillUsed = wasStillUsed || node.former_places_until !== null;

  async function remove(values: FormValues): Promise<void> {
    if (values.text("typed_name") !== node.name)
      throw new PageError(`Type ${node.name}, as it stands here.`, "typed_name");
    try {
      await client.nodes.remove({ params: { id: node.id }, query: isStillUsed ? { now: true } : {} });
    } catch (error) {
      if (isRefusal(error, nodeErrors.stillUsed)) setStillUsed(true);
      throw error;
    }
    await router.navigate({ to: "/admin/nodes" });
    await refreshNodes();
    notify(`${node.name} is removed.`);
  }

  if (node.devices > 0) {
    return (
      <RemoveSection>
        <p className="text-muted">
          {plural(node.devices, "device")} {node.devices === 1 ? "uses" : "use"} it. Drain it, and remove it
          when they have moved.
        </p>
      </RemoveSection>
    );
  }
  return (
    <RemoveSection>
      {node.former_places_until !== null && (
        <p className="mb-4 text-muted">
          Devices that were moved away can still use it until the end of {formatDay(node.former_places_until)}
          . Better wait for that day: removed before, it cuts off those whose owners have not taken their new
          config yet.
        </p>
      )}
      <Button tone="dangerQuiet" onClick={() => setAsked(true)}>
        {isStillUsed ? "Remove now…" : "Remove node…"}
      </Button>
      <FormDialog
        isOpen={isAsked}
        title={`Remove ${node.name}?`}
        lead={
          <>
            <p>Its agent takes the tunnels down, forgets its state and stops. Its credential ends.</p>
            {isStillUsed && (
              <p className="text-ink">
                Devices that were moved away and still use their former configs lose their connection at once.
              </p>
            )}
          </>
        }
        submitLabel={isStillUsed ? "Remove now" : "Remove"}
        tone="danger"
        onClose={() => setAsked(false)}
        onSubmit={remove}
      >
        <TextField
          name="typed_name"
          label={`Type ${node.name} to confirm`}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={40}
          missing="Type the node’s name."
          required
        />
      </FormDialog>
    </RemoveSection>
  );
}

function RemoveSection({ children }: { children: ReactNode }) {
  return (
    <Section title="Remove" lead="It joins no more; its name can be given to another node.">
      {children}
    </Section>
  );
}
