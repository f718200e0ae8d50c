// Light or dark: what the switch was last set to, or else what the system prefers; on paper always light. Runs in
// <head>, before the first paint, so that no page flashes in the other theme.
(() => {
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const onPaper = matchMedia("print");
  root.classList.add("js"); // shows what works only with scripts

  function stored() {
    try {
      // Django's administration keeps its own switch under the same name, and knows "auto" beside the two.
      const theme = localStorage.getItem("theme");
      return ["light", "dark"].includes(theme) ? theme : null;
    } catch {
      return null; // a browser that blocks storage follows the system
    }
  }

  function store(theme) {
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // Blocked storage: the switch then holds for this page only.
    }
  }

  function show(theme) {
    root.dataset.bsTheme = theme;
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.setAttribute("aria-pressed", theme === "dark");
    }
    document.dispatchEvent(new Event("themechange")); // charts take their colours anew
  }

  // While a page is printed the switch stays what it is: who set it for this page only finds it so again.
  let before = null;
  onPaper.addEventListener("change", ({ matches }) => {
    if (matches) before = root.dataset.bsTheme;
    show(matches ? "light" : before);
  });

  const preferred = () => stored() ?? (prefersDark.matches ? "dark" : "light");

  show(preferred());
  prefersDark.addEventListener("change", () => onPaper.matches || show(preferred())); // paper prefers light
  document.addEventListener("DOMContentLoaded", () => {
    show(preferred());
    document.querySelector("[data-theme-switch]")?.addEventListener("click", () => {
      const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
      store(theme);
      show(theme);
    });
  });
})();
