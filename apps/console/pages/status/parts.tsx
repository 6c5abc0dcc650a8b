import type { Incident, ServiceStatus } from "@securewave/contracts";
import type { FormValues } from "../../components/form.tsx";

type Impact = Incident["components"][number];
export type Part = Pick<ServiceStatus["components"][number], "component" | "name">;

export const IMPACT_WORDS: Readonly<Record<Impact["impact"], string>> = {
  degraded: "Works badly",
  down: "Does not work",
  none: "Not impaired",
};

/** The parts that there are, and those that were chosen when they were there. */
export function withGone(parts: readonly Part[], chosen: readonly string[]): Part[] {
  const gone = chosen.filter((one) => !parts.some(({ component }) => component === one));
  return [...parts, ...gone.map((component) => ({ component, name: component }))];
}

export function namesOf(components: readonly string[], parts: readonly Part[]): string[] {
  return components.map((one) => parts.find(({ component }) => component === one)?.name ?? one);
}

const FRAME = "max-h-72 overflow-y-auto rounded-md border border-line bg-surface";
const LINE =
  "flex min-h-12 flex-wrap items-center gap-x-4 gap-y-1 border-line border-t px-4 py-1.5 first:border-t-0";
const impactName = (component: string) => `impact ${component}`;

interface ImpactChoiceProps {
  readonly parts: readonly Part[];
  readonly chosen?: readonly Impact[];
}

/** How each part does that something concerns. */
export function ImpactChoice({ parts, chosen = [] }: ImpactChoiceProps) {
  return (
    <fieldset>
      <legend className="mb-1.5 font-medium text-sm">Parts of the service</legend>
      <div className={FRAME}>
        {parts.map(({ component, name }) => (
          <label key={component} className={`${LINE} justify-between`}>
            <span className="min-w-0 break-words text-sm">{name}</span>
            <select
              name={impactName(component)}
              defaultValue={chosen.find((one) => one.component === component)?.impact ?? ""}
              className="control w-44"
            >
              <option value="">Not concerned</option>
              {Object.entries(IMPACT_WORDS).map(([impact, word]) => (
                <option key={impact} value={impact}>
                  {word}
                </option>
              ))}
            </select>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** What an `ImpactChoice` holds. */
export function impactsOf(values: FormValues, parts: readonly Part[]): Impact[] {
  return parts.flatMap(({ component }) => {
    const impact = values.text(impactName(component)) as Impact["impact"] | "";
    return impact === "" ? [] : [{ component, impact }];
  });
}

/** Which parts something concerns; `values.ticked("parts")` has them. */
export function PartChoice({ parts, chosen = [] }: { parts: readonly Part[]; chosen?: readonly string[] }) {
  return (
    <fieldset>
      <legend className="font-medium text-sm">Parts of the service</legend>
      <p className="mb-1.5 text-muted text-sm">None ticked: the whole service.</p>
      <div className={FRAME}>
        {parts.map(({ component, name }) => (
          <label key={component} className={LINE}>
            <input
              type="checkbox"
              name="parts"
              value={component}
              defaultChecked={chosen.includes(component)}
              className="size-4 shrink-0"
            />
            <span className="min-w-0 break-words text-sm">{name}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Whether two lists have the same in them, in whatever order. */
export function isSame<Item>(one: readonly Item[], other: readonly Item[]): boolean {
  const text = (items: readonly Item[]) =>
    items
      .map((item) => JSON.stringify(item))
      .sort()
      .join();
  return text(one) === text(other);
}
