import type { Node } from "@securewave/contracts";
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { fleetQuery } from "../queries.ts";
import { TextField } from "./fields.tsx";
import type { FormValues } from "./form.tsx";
import { PlaceFields } from "./place-fields.tsx";
import { TAGS_PATTERN, tagsOf } from "./tags.ts";

/** What is told of a node by hand, the same for a new one and for one that is. */
export function NodeFields({ node }: { node?: Node }) {
  const regionsId = useId();
  const fleet = useQuery(fleetQuery());
  const regions = new Set(fleet.data?.nodes.map(({ region }) => region));
  return (
    <>
      <TextField
        name="name"
        label="Name"
        defaultValue={node?.name}
        placeholder="EU-Frankfurt-1"
        maxLength={40}
        pattern="[A-Za-z0-9]([A-Za-z0-9\-]{0,38}[A-Za-z0-9])?"
        missing="Give the node a name."
        wrong="Letters, digits and hyphens, such as EU-Frankfurt-1."
        hint="Customers see it. Letters, digits and hyphens."
        autoComplete="off"
        required
      />
      <TextField
        name="region"
        label="Region"
        defaultValue={node?.region}
        placeholder="Frankfurt, Germany"
        maxLength={40}
        missing="Say where the node stands."
        hint="Nodes of one region stand in for each other: write it alike for all of them."
        list={regionsId}
        autoComplete="off"
        required
      />
      <datalist id={regionsId}>
        {[...regions].map((region) => (
          <option key={region} value={region} />
        ))}
      </datalist>
      <PlaceFields node={node} />
      <TextField
        name="capacity"
        label="Capacity"
        type="number"
        min={1}
        max={1_000_000}
        step={1}
        defaultValue={node?.capacity ?? 10_000}
        hint="Devices it may hold."
        missing="Say how many devices it may hold."
        wrong="A whole number, please."
        required
      />
      <TextField
        name="tags"
        label="Tags (optional)"
        defaultValue={node?.tags.join(", ")}
        placeholder="streaming, ipv6"
        pattern={TAGS_PATTERN}
        wrong="Small letters, digits and hyphens, with commas between."
        hint="Who may use it has a plan with all of its tags. None: everybody may."
        autoComplete="off"
      />
    </>
  );
}

export function nodeOf(values: FormValues) {
  const latitude = values.text("latitude");
  const longitude = values.text("longitude");
  return {
    name: values.text("name"),
    region: values.text("region"),
    ...(latitude !== "" && { latitude: Number(latitude) }),
    ...(longitude !== "" && { longitude: Number(longitude) }),
    capacity: Number(values.text("capacity")),
    tags: tagsOf(values.text("tags")),
  };
}
