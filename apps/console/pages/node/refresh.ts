import { queryClient } from "../../queries.ts";

/** After something was done with a node: all that is shown of nodes is asked for anew. */
export function refreshNodes(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ["nodes"] });
}
