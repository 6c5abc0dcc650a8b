/** Fixed entries of the 256-colour table, which themes leave alone: white behind, black in front. */
const BLACK_ON_WHITE = "\u001b[48;5;231;38;5;16m";
const RESET = "\u001b[0m";

/**
 * Draws a QR code with two modules above each other per character.
 *
 * @param isColour false draws the light modules in the terminal's own text colour, for light text on dark
 */
export function drawQr(modules: readonly (readonly boolean[])[], isColour: boolean): string {
  const lines: string[] = [];
  for (let y = 0; y < modules.length; y += 2) {
    const upper = modules[y] ?? [];
    const lower = modules[y + 1];
    const cells = upper.map((isDark, x) => {
      const isDarkBelow = lower?.[x] ?? false;
      return isColour ? block(isDark, isDarkBelow) : block(!isDark, !isDarkBelow);
    });
    lines.push(isColour ? `${BLACK_ON_WHITE}${cells.join("")}${RESET}` : cells.join(""));
  }
  return lines.join("\n");
}

function block(isUpper: boolean, isLower: boolean): string {
  if (isUpper) return isLower ? "█" : "▀";
  return isLower ? "▄" : " ";
}
