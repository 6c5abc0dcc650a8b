import type { Node } from "@securewave/contracts";
import { TextField } from "./fields.tsx";
import type { FormValues } from "./form.tsx";

/** What is told of a node by hand, the same for a new one and for one that is. */
export function NodeFields({ node }: { node?: Node }) {
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
        autoComplete="off"
        required
      />
      <div className="grid items-start gap-5 sm:grid-cols-2">
        <TextField
          name="latitude"
          label="Latitude (optional)"
          type="number"
          min={-90}
          max={90}
          step="any"
          defaultValue={node?.latitude ?? ""}
          placeholder="50.11"
        />
        <TextField
          name="longitude"
          label="Longitude (optional)"
          type="number"
          min={-180}
          max={180}
          step="any"
          defaultValue={node?.longitude ?? ""}
          placeholder="8.68"
        />
      </div>
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
        pattern="\s*([a-z0-9\-]{1,30}(\s*,\s*[a-z0-9\-]{1,30})*)?\s*"
        wrong="Small letters, digits and hyphens, with commas between."
        autoComplete="off"
      />
    </>
  );
}

export function nodeOf(values: FormValues) {
  const latitude = values.text("latitude");
  const longitude = values.text("longitude");
  const tags = values
    .text("tags")
    .split(",")
    .map((tag) => tag.trim());
  return {
    name: values.text("name"),
    region: values.text("region"),
    ...(latitude !== "" && { latitude: Number(latitude) }),
    ...(longitude !== "" && { longitude: Number(longitude) }),
    capacity: Number(values.text("capacity")),
    tags: [...new Set(tags.filter((tag) => tag !== ""))],
  };
}
