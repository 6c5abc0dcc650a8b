import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { createSecret, type Secret } from "./secret.ts";

/** One setting: its variable, what it means, and how its text becomes a value. */
export interface Setting<Value> {
  readonly variable: string;
  /** One sentence for the reference. */
  readonly about: string;
  /** What is allowed, in words: `1 to 65535`. */
  readonly range: string;
  /** As it is shown in the reference. */
  readonly shownDefault: string;
  readonly isSecret: boolean;
  /** @returns undefined on text that is not allowed */
  parse(text: string): Value | undefined;
  readonly fallback: { readonly value: Value } | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: a group holds settings of any value; the type of each is inferred
export type SettingsGroup = { readonly [name: string]: Setting<any> | SettingsGroup };

export type SettingsOf<Group> = {
  readonly [Name in keyof Group]: Group[Name] extends Setting<infer Value> ? Value : SettingsOf<Group[Name]>;
};

/** Texts by variable, and which file each came from, for messages. */
export interface SettingsSource {
  readonly values: ReadonlyMap<string, string>;
  readonly mistakes: readonly string[];
  /** Where secrets come from that neither the environment nor a file gives. */
  readonly vault?: ReadonlyMap<string, Secret>;
}

interface Options<Value> {
  readonly default?: Value;
  readonly shownDefault?: string;
}

function setting<Value>(
  variable: string,
  about: string,
  range: string,
  parse: (text: string) => Value | undefined,
  options: Options<Value> & { isSecret?: boolean },
): Setting<Value> {
  const fallback = "default" in options ? { value: options.default as Value } : undefined;
  const shown = fallback?.value === undefined || fallback.value === "" ? "" : String(fallback.value);
  const isSecret = options.isSecret ?? false;
  return { variable, about, range, parse, fallback, isSecret, shownDefault: options.shownDefault ?? shown };
}

export function integer(
  variable: string,
  about: string,
  options: Options<number> & { min: number; max: number },
): Setting<number> {
  const { min, max } = options;
  const parse = (text: string) => {
    const value = Number(text);
    return /^-?\d+$/.test(text) && value >= min && value <= max ? value : undefined;
  };
  return setting(variable, about, `${min} to ${max}`, parse, options);
}

export function decimal(
  variable: string,
  about: string,
  options: Options<number> & { min: number; max: number },
): Setting<number> {
  const { min, max } = options;
  const parse = (text: string) => {
    const value = Number(text);
    return /^-?\d+(\.\d+)?$/.test(text) && value >= min && value <= max ? value : undefined;
  };
  return setting(variable, about, `${min} to ${max}`, parse, options);
}

export function oneOf<const Words extends readonly string[]>(
  variable: string,
  about: string,
  words: Words,
  options: Options<Words[number]>,
): Setting<Words[number]> {
  return setting<Words[number]>(
    variable,
    about,
    words.join(" | "),
    (text) => words.find((word) => word === text),
    options,
  );
}

/** Text that `parse` understands; `parse` gives undefined on what is not allowed. */
export function text<Value = string>(
  variable: string,
  about: string,
  options: Options<Value> & { range: string; parse: (text: string) => Value | undefined },
): Setting<Value> {
  return setting(variable, about, options.range, options.parse, options);
}

/** Items with commas between; each must be what `parse` understands. Empty where nothing is given. */
export function list<Item = string>(
  variable: string,
  about: string,
  options: { range: string; parse: (item: string) => Item | undefined; default?: readonly Item[] },
): Setting<readonly Item[]> {
  const parse = (value: string) => {
    const items = value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "")
      .map(options.parse);
    const understood = items.filter((item) => item !== undefined);
    return understood.length === items.length ? understood : undefined;
  };
  const given = options.default ?? [];
  return setting<readonly Item[]>(variable, about, `${options.range}, with commas between`, parse, {
    default: given,
    shownDefault: given.join(", "),
  });
}

/** A text that may be absent. */
export function optionalText(
  variable: string,
  about: string,
  options: { range: string; isAllowed: (text: string) => boolean },
): Setting<string | undefined> {
  const parse = (value: string) => (options.isAllowed(value) ? value : undefined);
  return setting<string | undefined>(variable, about, options.range, parse, { default: undefined });
}

/** A secret that may be absent; what needs it says so. Also taken from the file named by `<variable>_FILE`. */
export function optionalSecret(
  variable: string,
  about: string,
  options: { range: string; isAllowed: (text: string) => boolean },
): Setting<Secret | undefined> {
  const parse = (value: string) => (options.isAllowed(value) ? createSecret(value) : undefined);
  return setting<Secret | undefined>(variable, about, options.range, parse, {
    default: undefined,
    isSecret: true,
  });
}

/**
 * Reads settings from a `NAME=value` file and the environment; the environment wins.
 *
 * @param known only these variables are taken from the environment; others in the file are mistakes
 */
export function readSource(
  file: { path: string; isRequired: boolean },
  environment: Readonly<Record<string, string | undefined>>,
  known: ReadonlySet<string>,
): SettingsSource {
  const values = new Map<string, string>();
  const mistakes: string[] = [];
  for (const [variable, value] of Object.entries(readFile(file, mistakes))) {
    if (known.has(variable)) values.set(variable, value);
    else mistakes.push(`${variable}: no setting has this name (in ${file.path})`);
  }
  for (const variable of known) {
    const value = environment[variable];
    if (value !== undefined && value !== "") values.set(variable, value);
  }
  return { values, mistakes };
}

function readFile(file: { path: string; isRequired: boolean }, mistakes: string[]): Record<string, string> {
  let content: string;
  try {
    content = readFileSync(file.path, "utf8");
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing || file.isRequired) mistakes.push(`${file.path}: the settings file cannot be read`);
    return {};
  }
  content.split(/\r?\n/).forEach((line, index) => {
    if (!/^\s*(#.*)?$|^\s*(export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=/.test(line) || line.includes("\0")) {
      mistakes.push(`${file.path}, line ${index + 1}: not of the form NAME=value`);
    }
  });
  return Object.fromEntries(
    Object.entries(parseEnv(content)).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

/** Lists every variable that a group of settings takes, with the `_FILE` form of secrets. */
export function variablesOf(group: SettingsGroup): Set<string> {
  return new Set(
    listSettings(group).flatMap(({ variable, isSecret }) =>
      isSecret ? [variable, `${variable}_FILE`] : [variable],
    ),
  );
}

// biome-ignore lint/suspicious/noExplicitAny: settings of any value
export function listSettings(group: SettingsGroup): Setting<any>[] {
  return Object.values(group).flatMap((member) => (isSetting(member) ? [member] : listSettings(member)));
}

/**
 * Turns texts into the grouped, typed settings. All mistakes are found at once; none quotes a value.
 */
export function readSettings<const Group extends SettingsGroup>(
  group: Group,
  source: SettingsSource,
): { settings: SettingsOf<Group>; mistakes: readonly string[] } {
  const mistakes = [...source.mistakes];
  const read = (members: SettingsGroup): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(members).map(([name, member]) => [
        name,
        isSetting(member) ? readOne(member, source, mistakes) : read(member),
      ]),
    );
  return { settings: read(group) as SettingsOf<Group>, mistakes };
}

function readOne<Value>(one: Setting<Value>, source: SettingsSource, mistakes: string[]): Value | undefined {
  const given = one.isSecret ? readSecret(one, source, mistakes) : source.values.get(one.variable);
  if (given === undefined) {
    if (!one.fallback) mistakes.push(`${one.variable}: must be set (${one.range}). ${one.about}`);
    return one.fallback?.value;
  }
  const value = one.parse(given.trim());
  if (value === undefined) mistakes.push(`${one.variable}: must be ${one.range}`);
  return value;
}

/** A secret in two places is one that somebody believes to have changed, so it must be in one. */
function readSecret(
  { variable }: { variable: string },
  { values, vault }: SettingsSource,
  mistakes: string[],
): string | undefined {
  const fileVariable = `${variable}_FILE`;
  const path = values.get(fileVariable);
  const places = [
    [variable, values.has(variable)],
    [fileVariable, path !== undefined],
    ["Vault", vault?.has(variable) ?? false],
  ] as const;
  const used = places.filter(([, isUsed]) => isUsed).map(([place]) => place);
  if (used.length > 1) mistakes.push(`${variable}: is set more than once: by ${used.join(" and by ")}`);
  return values.get(variable) ?? (path === undefined ? vault?.get(variable)?.reveal() : readText(path));

  function readText(from: string): string | undefined {
    try {
      return readFileSync(from, "utf8");
    } catch {
      mistakes.push(`${fileVariable}: the file cannot be read`);
      return undefined;
    }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: settings of any value
function isSetting(member: Setting<any> | SettingsGroup): member is Setting<any> {
  return typeof member.parse === "function";
}
