import { styleText } from "node:util";
import stringWidth from "string-width";
import { describeFailure, type ExitCode } from "./failure.ts";

/** A stream the command writes to; `columns` is there on a terminal only, and 0 on one without a size. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: "left" | "right";
  readonly style?: (row: Row) => Style | undefined;
  /** Never shortened, also where the line then is longer than the terminal: what is typed elsewhere, or said nowhere else. */
  readonly isWhole?: true;
}

export interface Output {
  readonly json: boolean;
  readonly style: (style: Style | undefined, text: string) => string;
  /** Writes the one JSON value, or the text for people that `human` makes. */
  readonly result: (value: unknown, human: () => string) => void;
  /** Writes a line for people to stderr; nothing with `--json`. */
  readonly note: (text: string) => void;
  readonly table: <Row>(columns: readonly Column<Row>[], rows: readonly Row[]) => string;
  /** Writes names and values below each other; lines whose value is undefined are left out. */
  readonly fields: (entries: readonly (readonly [name: string, value: string | undefined])[]) => string;
  readonly failure: (error: unknown) => ExitCode;
}

const GAP = "  ";
const COLUMN_WIDTH_MIN = 6;

export function createOutput(options: {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly json: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Output {
  const { stdout, stderr, json, env } = options;
  const mayColour = (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb" && !json;
  const painter = (sink: Sink) => (style: Style | undefined, text: string) =>
    style !== undefined && mayColour && sink.isTTY === true
      ? styleText(style, text, { validateStream: false })
      : text;
  const paint = painter(stdout);
  const paintError = painter(stderr);

  return {
    json,
    style: paint,
    result(value, human) {
      const text = json ? JSON.stringify(value) : human();
      stdout.write(text.endsWith("\n") || text === "" ? text : `${text}\n`);
    },
    note(text) {
      if (!json) stderr.write(`${text}\n`);
    },
    table: (columns, rows) =>
      renderTable(columns, rows, paint, stdout.isTTY === true ? stdout.columns || undefined : undefined),
    fields(entries) {
      const shown = entries.filter((entry): entry is [string, string] => entry[1] !== undefined);
      const width = Math.max(0, ...shown.map(([name]) => stringWidth(name)));
      return shown.map(([name, value]) => `${paint("dim", pad(name, width))}${GAP}${value}`).join("\n");
    },
    failure(error) {
      const { shown, exitCode } = describeFailure(error);
      if (json) {
        stderr.write(`${JSON.stringify({ error: shown })}\n`);
        return exitCode;
      }
      const lines = [
        `${paintError("red", "Error:")} ${plain(shown.message)} ${paintError("dim", `(${shown.code})`)}`,
      ];
      for (const issue of shown.issues ?? []) lines.push(`  ${plain(issue.at)}: ${plain(issue.message)}`);
      if (shown.next !== undefined) lines.push(shown.next);
      stderr.write(`${lines.join("\n")}\n`);
      return exitCode;
    },
  };
}

/** Takes out what could steer a terminal: control and formatting characters. */
export function plain(text: string): string {
  return text.replace(/\p{C}/gu, "");
}

/** Shortens to a number of terminal cells, the last of which is then an ellipsis. */
export function shorten(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  paint: Output["style"],
  terminalWidth: number | undefined,
): string {
  const cells = rows.map((row) => columns.map((column) => plain(column.value(row))));
  const widths = columns.map((column, index) =>
    Math.max(stringWidth(column.title), ...cells.map((row) => stringWidth(row[index] ?? ""))),
  );
  const isWhole = columns.map((column) => column.isWhole === true);
  if (terminalWidth !== undefined) fit(widths, isWhole, terminalWidth - GAP.length * (columns.length - 1));
  const line = (texts: readonly string[], styleOf: (column: Column<Row>) => Style | undefined) =>
    columns
      .map((column, index) => {
        const width = widths[index] ?? 0;
        const text = shorten(texts[index] ?? "", width);
        const isLast = index === columns.length - 1 && column.align !== "right";
        return paint(styleOf(column), isLast ? text : pad(text, width, column.align));
      })
      .join(GAP)
      .trimEnd();
  const titles = columns.map((column) => column.title);
  const body = rows.map((row, index) => line(cells[index] ?? [], (column) => column.style?.(row)));
  return [line(titles, () => "dim"), ...body].join("\n");
}

/** Takes cells from the widest column that may lose some, until the row fits or nothing is left to take. */
function fit(widths: number[], isWhole: readonly boolean[], available: number): void {
  for (let excess = sum(widths) - available; excess > 0; excess--) {
    const elastic = widths.map((width, index) => (isWhole[index] ? 0 : width));
    const widest = Math.max(...elastic);
    if (widest <= COLUMN_WIDTH_MIN) return;
    widths[elastic.indexOf(widest)] = widest - 1;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, width - stringWidth(text)));
  return align === "left" ? text + space : space + text;
}
