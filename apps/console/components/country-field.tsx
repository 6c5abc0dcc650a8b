import { useId, useMemo } from "react";
import { listCountries } from "../countries.ts";
import { chooseCountry, useWhereabouts } from "../whereabouts.ts";

/** Where the reader is, for distances: of this page, and kept nowhere. */
export function CountryField() {
  const { country, isGuessed } = useWhereabouts();
  const countries = useMemo(() => listCountries(), []);
  const id = useId();
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="justify-self-start font-medium text-sm">
        Where are you?
      </label>
      <select
        id={id}
        aria-describedby={`${id}-hint`}
        className="control"
        value={country ?? ""}
        onChange={(event) => chooseCountry(event.target.value === "" ? undefined : event.target.value)}
      >
        <option value="">I’d rather not say</option>
        {countries.map(({ code, name }) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </select>
      <p id={`${id}-hint`} className="text-muted text-sm">
        {isGuessed && "Guessed from your clock; change it as you like. "}
        For distances only. It is kept neither here nor by the service.
      </p>
    </div>
  );
}
