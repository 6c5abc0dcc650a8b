import type { ApiKey } from "@securewave/contracts";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { ProofFields, proofOf } from "../../components/proof-fields.tsx";
import { Row } from "../../components/rows.tsx";
import { StateBadge } from "../../components/state.tsx";
import { notify } from "../../components/toast.tsx";
import { formatDay, plural } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { endOf } from "./key-end.ts";
import type { ShownKey } from "./key-text.tsx";
import { apiKeysQuery } from "./queries.ts";

interface ApiKeyRowProps {
  readonly apiKey: ApiKey;
  readonly onRotated: (shown: ShownKey) => void;
}

export function ApiKeyRow({ apiKey, onRotated }: ApiKeyRowProps) {
  const [asked, setAsked] = useState<"rotate" | "revoke">();
  const params = { id: apiKey.id };
  const end = endOf(apiKey, new Date().toISOString().slice(0, 10));

  async function rotate(values: FormValues): Promise<void> {
    onRotated(await client.apiKeys.rotate({ params, body: proofOf(values) }));
    await queryClient.invalidateQueries(apiKeysQuery);
  }

  async function revoke(): Promise<void> {
    await client.apiKeys.revoke({ params });
    await queryClient.invalidateQueries(apiKeysQuery);
    notify(`${apiKey.name} is revoked.`);
  }

  return (
    <Row
      title={
        <>
          {apiKey.name}
          {end === "ended" && <StateBadge tone="still">Ended</StateBadge>}
          {end === "soon" && <StateBadge tone="warn">Ends soon</StateBadge>}
        </>
      }
      detail={
        <>
          <p>
            {end === "ended" ? "Ended" : "Until"} {formatDay(apiKey.expires_on)},{" "}
            {plural(apiKey.requests_per_minute, "request")} a minute, made {formatDay(apiKey.created_on)}
          </p>
          {apiKey.previous_until !== null && (
            <p>Its old text works until the end of {formatDay(apiKey.previous_until)} (UTC).</p>
          )}
          <ul aria-label={`Scopes of ${apiKey.name}`} className="mt-2 flex flex-wrap gap-1.5">
            {apiKey.scopes.map((scope) => (
              <li key={scope} className="rounded-sm bg-sunken px-1.5 py-0.5 font-mono text-ink text-xs">
                {scope}
              </li>
            ))}
          </ul>
        </>
      }
      actions={
        <>
          <Button size="small" onClick={() => setAsked("rotate")} aria-label={`Rotate ${apiKey.name}`}>
            Rotate
          </Button>
          <Button
            size="small"
            tone="dangerQuiet"
            onClick={() => setAsked("revoke")}
            aria-label={`Revoke ${apiKey.name}`}
          >
            Revoke
          </Button>
        </>
      }
    >
      <FormDialog
        isOpen={asked === "rotate"}
        title={`Give ${apiKey.name} a new text?`}
        lead={
          <p>
            The new text is shown once. The old one works until the end of the next day (UTC), so that you
            have time to change it in the program.
          </p>
        }
        submitLabel="Rotate"
        onClose={() => setAsked(undefined)}
        onSubmit={rotate}
      >
        <ProofFields />
      </FormDialog>
      <ConfirmDialog
        isOpen={asked === "revoke"}
        title={`Revoke ${apiKey.name}?`}
        confirmLabel="Revoke"
        onClose={() => setAsked(undefined)}
        onConfirm={revoke}
      >
        <p>Programs that use it are refused from that moment.</p>
      </ConfirmDialog>
    </Row>
  );
}
