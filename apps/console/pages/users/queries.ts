import { queryOptions } from "@tanstack/react-query";
import { client } from "../../api.ts";

export const deletionOfQuery = (id: string) =>
  queryOptions({
    queryKey: ["accounts", "deletion", id],
    queryFn: ({ signal }) => client.privacyDesk.showDeletion({ params: { id }, signal }),
  });
