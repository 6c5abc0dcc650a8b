// Runs before the first paint, so that a chosen theme does not flash in the other one.
(() => {
  try {
    const theme = localStorage.getItem("securewave.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is switched off: the theme follows the system.
  }
})();
