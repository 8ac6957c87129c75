// Runs before the page is drawn, so that it is never drawn in the wrong colours.
(() => {
  const name = "cacheproxy-theme";
  let choice = "auto";
  try { choice = localStorage.getItem(name) || choice; } catch { /* a browser that keeps nothing */ }

  const apply = () => {
    document.documentElement.dataset.theme = choice;
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    }
    document.dispatchEvent(new Event("theme"));
  };
  apply();
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    document.getElementById("theme").addEventListener("click", (e) => {
      if (!e.target.dataset.themeChoice) return;
      choice = e.target.dataset.themeChoice;
      try { localStorage.setItem(name, choice); } catch { /* as above */ }
      apply();
    });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
})();
