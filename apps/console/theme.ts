/** The name is known to `public/theme.js` too. */
const STORAGE_NAME = "securewave.theme";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export function currentTheme(): Theme {
  return THEMES.find((theme) => theme === document.documentElement.dataset.theme) ?? "system";
}

/** Applies a theme and keeps it in this browser, where it allows storage. */
export function setTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem(STORAGE_NAME);
    else localStorage.setItem(STORAGE_NAME, theme);
  } catch {
    // Storage is switched off: the theme holds until the page is closed.
  }
}
