/** Asks PostgreSQL; rows by column name. */
export type Ask = (statement: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

export interface RelationFacts {
  /** With its schema where that is not `public`. */
  readonly name: string;
  readonly kind: "table" | "view" | "foreign table";
  readonly isUnlogged: boolean;
  /** Whether old rows go to the write-ahead log whole. */
  readonly logsWholeRows: boolean;
  /** Columns that were dropped: their values lie in the rows until these are written anew. */
  readonly droppedColumns: number;
}

export interface ColumnFacts {
  readonly table: string;
  readonly name: string;
  /** As PostgreSQL writes it. */
  readonly type: string;
  /** What it is made of: below arrays, domains, ranges and composites. */
  readonly leaves: readonly string[];
  readonly default: string;
  /** Filled by a sequence, also by way of a default. */
  readonly isCounted: boolean;
  /** How many samples ANALYZE takes; -1 for as many as usual. */
  readonly statistics: number;
  readonly isPlain: boolean;
  /** What a check lets it be. */
  readonly words: readonly string[];
}

/** What of a schema the catalogue must know. */
export interface SchemaFacts {
  readonly relations: readonly RelationFacts[];
  readonly columns: readonly ColumnFacts[];
  readonly triggers: readonly { readonly table: string; readonly name: string }[];
  readonly rules: readonly { readonly table: string; readonly name: string }[];
  /** Expressions that ANALYZE samples: of indexes and of extended statistics. */
  readonly sampledExpressions: readonly {
    readonly table: string;
    readonly name: string;
    readonly text: string;
  }[];
  readonly extensions: readonly string[];
  readonly eventTriggers: readonly string[];
  readonly publications: readonly string[];
  readonly largeObjects: number;
}

const OURS = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";
/** A partition is its table: it can hold nothing else. */
const NAME = `(select case s.nspname when 'public' then t.relname else s.nspname || '.' || t.relname end
    from pg_class t join pg_namespace s on s.oid = t.relnamespace
    where t.oid = coalesce(pg_partition_root(c.oid), c.oid))`;

const RELATIONS = `
  select ${NAME} as name, c.relkind::text as kind, c.relpersistence = 'u' as unlogged, c.relreplident = 'f' as whole,
    (select count(*)::int from pg_attribute a where a.attrelid = c.oid and a.attisdropped) as dropped
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where ${OURS} and c.relkind in ('r', 'p', 'v', 'm', 'f') order by 1`;

const COLUMNS = `
  select ${NAME} as "table", a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type,
    a.atttypid::int as type_id, coalesce(pg_get_expr(d.adbin, d.adrelid), '') as "default",
    a.attidentity <> '' or coalesce(pg_get_expr(d.adbin, d.adrelid), '') ~ 'nextval' as counted,
    coalesce(a.attstattarget, -1)::int as statistics, a.attstorage = 'p' as plain,
    coalesce((select string_agg(pg_get_constraintdef(k.oid), ' ') from pg_constraint k
      where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]), '') as checks,
    array(select e.enumlabel::text from pg_enum e where e.enumtypid = a.atttypid order by e.enumsortorder) as labels
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where ${OURS} and c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped
  order by 1, a.attnum`;

const TYPES = `
  select t.oid::int as id, t.typname::text as name, t.typtype::text as kind, t.typbasetype::int as base,
    case when t.typcategory = 'A' then t.typelem::int else 0 end as element, coalesce(r.rngsubtype::int, 0) as bound,
    coalesce(m.rngsubtype::int, 0) as multi_bound,
    (select array_agg(a.atttypid::int) from pg_attribute a
      where a.attrelid = t.typrelid and a.attnum > 0 and t.typtype = 'c') as members
  from pg_type t
  left join pg_range r on r.rngtypid = t.oid
  left join pg_range m on m.rngmultitypid = t.oid`;

const TRIGGERS = `
  select ${NAME} as "table", g.tgname::text as name from pg_trigger g
  join pg_class c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
  where ${OURS} and not g.tgisinternal order by 1, 2`;

const RULES = `
  select ${NAME} as "table", r.rulename::text as name from pg_rewrite r
  join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
  where ${OURS} and r.rulename <> '_RETURN' order by 1, 2`;

const EXPRESSIONS = `
  select ${NAME} as "table", x.relname::text as name, pg_get_expr(i.indexprs, i.indrelid) as text
  from pg_index i join pg_class x on x.oid = i.indexrelid
  join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
  where ${OURS} and i.indexprs is not null
  union all
  select ${NAME}, e.stxname::text, pg_get_statisticsobjdef(e.oid) from pg_statistic_ext e
  join pg_class c on c.oid = e.stxrelid join pg_namespace n on n.oid = c.relnamespace
  where ${OURS} order by 1, 2`;

const REST = `
  select array(select extname::text from pg_extension order by 1) as extensions,
    array(select evtname::text from pg_event_trigger order by 1) as event_triggers,
    array(select pubname::text from pg_publication order by 1) as publications,
    (select count(*)::int from pg_largeobject_metadata) as large_objects`;

/** Reads what a database keeps, from its own catalogue. */
export async function readSchema(ask: Ask): Promise<SchemaFacts> {
  const types = readTypes(await ask(TYPES));
  const [rest = {}] = await ask(REST);
  return {
    relations: (await ask(RELATIONS)).map((row) => ({
      name: String(row.name),
      kind: row.kind === "f" ? "foreign table" : row.kind === "v" || row.kind === "m" ? "view" : "table",
      isUnlogged: row.unlogged === true,
      logsWholeRows: row.whole === true,
      droppedColumns: Number(row.dropped),
    })),
    columns: (await ask(COLUMNS)).map((row) => ({
      table: String(row.table),
      name: String(row.name),
      type: String(row.type),
      leaves: leavesOf(types, Number(row.type_id)),
      default: String(row.default),
      isCounted: row.counted === true,
      statistics: Number(row.statistics),
      isPlain: row.plain === true,
      words: [...wordsOf(String(row.checks)), ...texts(row.labels)],
    })),
    triggers: (await ask(TRIGGERS)).map(named),
    rules: (await ask(RULES)).map(named),
    sampledExpressions: (await ask(EXPRESSIONS)).map((row) => ({ ...named(row), text: String(row.text) })),
    extensions: texts(rest.extensions),
    eventTriggers: texts(rest.event_triggers),
    publications: texts(rest.publications),
    largeObjects: Number(rest.large_objects),
  };
}

interface TypeFacts {
  readonly name: string;
  /** Types that it is made of. */
  readonly parts: readonly number[];
}

function readTypes(rows: readonly Readonly<Record<string, unknown>>[]): ReadonlyMap<number, TypeFacts> {
  return new Map(
    rows.map((row) => {
      const members = Array.isArray(row.members) ? row.members.map(Number) : [];
      const parts = [row.base, row.element, row.bound, row.multi_bound]
        .map(Number)
        .filter((part) => part > 0);
      const name = row.kind === "e" ? "enum" : String(row.name);
      return [Number(row.id), { name, parts: [...parts, ...members] }];
    }),
  );
}

function leavesOf(types: ReadonlyMap<number, TypeFacts>, id: number): string[] {
  const type = types.get(id);
  if (type === undefined) return ["unknown"];
  return type.parts.length === 0
    ? [type.name]
    : [...new Set(type.parts.flatMap((part) => leavesOf(types, part)))];
}

function wordsOf(checks: string): string[] {
  return [...checks.matchAll(/'([^']*)'::text/g)].map(([, word = ""]) => word);
}

function named(row: Readonly<Record<string, unknown>>): { table: string; name: string } {
  return { table: String(row.table), name: String(row.name) };
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
