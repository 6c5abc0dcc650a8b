const LEVELS = [..."▁▂▃▄▅▆▇█"] as const;

/**
 * Draws figures as a line of blocks, from 0 at the bottom to `max`, or the greatest of them, at the top.
 *
 * @param values one behind the other; a gap where there is none
 * @param cells the most that the line may have; each then stands for the greatest of several figures
 */
export function sparkline(values: readonly (number | undefined)[], cells: number, max?: number): string {
  const drawn = values.length <= cells ? values : squeeze(values, cells);
  const top = max ?? Math.max(0, ...drawn.map((value) => value ?? 0));
  return drawn.map((value) => (value === undefined ? " " : levelOf(value, top))).join("");
}

function squeeze(values: readonly (number | undefined)[], cells: number): (number | undefined)[] {
  return Array.from({ length: cells }, (_, cell) => {
    const [from, to] = [cell, cell + 1].map((edge) => Math.floor((edge * values.length) / cells));
    const known = values.slice(from, to).filter((value) => value !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  });
}

function levelOf(value: number, top: number): string {
  const level = top > 0 ? Math.round((value / top) * (LEVELS.length - 1)) : 0;
  return LEVELS[Math.min(LEVELS.length - 1, Math.max(0, level))] ?? "";
}
