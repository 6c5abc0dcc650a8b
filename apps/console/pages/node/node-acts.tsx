import type { Node } from "@securewave/contracts";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { JoinPanel, type JoinToken } from "../../components/join-panel.tsx";
import { NodeFields, nodeOf } from "../../components/node-fields.tsx";
import { Section } from "../../components/page.tsx";
import { notify } from "../../components/toast.tsx";
import { Drain } from "./drain.tsx";
import { refreshNodes } from "./refresh.ts";
import { Remove } from "./remove.tsx";

/** What an admin can do with a node. */
export function NodeActs({ node }: { node: Node }) {
  return (
    <>
      {node.quarantined && <Quarantine node={node} />}
      <Drain node={node} />
      <Section title="Details">
        <DetailsForm node={node} />
      </Section>
      <JoinAgain node={node} />
      <Remove node={node} />
    </>
  );
}

function Quarantine({ node }: { node: Node }) {
  const [isAsked, setAsked] = useState(false);

  async function trust(): Promise<void> {
    await client.nodes.trust({ params: { id: node.id } });
    await refreshNodes();
    notify(`${node.name} is trusted again.`);
  }

  return (
    <Section title="Quarantine" lead="Customers lose nothing by it: their usage is left as it was.">
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <p className="min-w-0 grow basis-72 text-muted">
          It reported figures that cannot be, so what it counts is left out, and it is given no new devices.
          Tunnels on it go on.
        </p>
        <Button onClick={() => setAsked(true)}>Trust again…</Button>
      </div>
      <ConfirmDialog
        isOpen={isAsked}
        title={`Trust ${node.name} again?`}
        confirmLabel="Trust again"
        tone="primary"
        onClose={() => setAsked(false)}
        onConfirm={trust}
      >
        <p>What it counts from here on is added to what customers used. What it reported before is not.</p>
        <p>Look into the machine first: figures like these come from a broken clock, or from an intruder.</p>
      </ConfirmDialog>
    </Section>
  );
}

function DetailsForm({ node }: { node: Node }) {
  async function save(values: FormValues): Promise<void> {
    await client.nodes.change({ params: { id: node.id }, body: nodeOf(values) });
    await refreshNodes();
    notify("Saved.");
  }

  return (
    <Form onSubmit={save} className="grid max-w-lg gap-5">
      {({ isPending }) => (
        <>
          <NodeFields node={node} />
          <div>
            <Button type="submit" isPending={isPending}>
              Save details
            </Button>
          </div>
        </>
      )}
    </Form>
  );
}

function JoinAgain({ node }: { node: Node }) {
  const [join, setJoin] = useState<JoinToken>();
  const [isAsked, setAsked] = useState(false);
  const isFirst = node.joined_on === null;

  return (
    <Section
      title="Join"
      lead="For a server that was set up anew, a token that ran out, or a credential that was ended since two used it."
    >
      {join ? (
        <JoinPanel nodeId={node.id} join={join} isRejoining={!isFirst} />
      ) : (
        <Button icon={KeyRound} onClick={() => setAsked(true)}>
          Fresh join token…
        </Button>
      )}
      <ConfirmDialog
        isOpen={isAsked}
        title={`A fresh token for ${node.name}?`}
        confirmLabel="Make token"
        tone="primary"
        onClose={() => setAsked(false)}
        onConfirm={async () => setJoin(await client.nodes.renewJoinToken({ params: { id: node.id } }))}
      >
        <p>
          {isFirst
            ? "The token that was made before ends."
            : "Whoever uses it becomes this node: the credential that the server has now ends at that moment."}
        </p>
      </ConfirmDialog>
    </Section>
  );
}
