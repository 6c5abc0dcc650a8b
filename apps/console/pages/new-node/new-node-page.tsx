import type { Node } from "@securewave/contracts";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button, ButtonLink } from "../../components/button.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { JoinPanel, type JoinToken } from "../../components/join-panel.tsx";
import { NodeFields, nodeOf } from "../../components/node-fields.tsx";
import { PageTitle } from "../../components/page.tsx";
import { queryClient } from "../../queries.ts";

const UP = { label: "Nodes", link: { to: "/admin/nodes" } } as const;

export function NewNodePage() {
  const [registered, setRegistered] = useState<{ node: Node; join: JoinToken }>();

  async function register(values: FormValues): Promise<void> {
    const result = await client.nodes.create({ body: nodeOf(values) });
    void queryClient.invalidateQueries({ queryKey: ["nodes"] });
    setRegistered(result);
  }

  if (registered) return <Join node={registered.node} join={registered.join} />;
  return (
    <>
      <PageTitle title="Add a node" lead="First tell what it is; then run one command on it." up={UP} />
      <Form onSubmit={register} className="grid max-w-lg gap-5">
        {({ isPending }) => (
          <>
            <NodeFields />
            <div>
              <Button type="submit" tone="primary" isPending={isPending}>
                Register node
              </Button>
            </div>
          </>
        )}
      </Form>
    </>
  );
}

function Join({ node, join }: { node: Node; join: JoinToken }) {
  return (
    <div className="max-w-2xl">
      <PageTitle
        isNext
        title={`Let ${node.name} join`}
        lead="The agent makes the node’s keys there; they never leave it."
        up={UP}
      />
      <JoinPanel nodeId={node.id} join={join} />
      <div className="mt-6">
        <ButtonLink to="/admin/nodes/$id" params={{ id: node.id }}>
          To the node
        </ButtonLink>
      </div>
    </div>
  );
}
